# SPDX-License-Identifier: Apache-2.0
"""The lock, between real processes."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.lab import disk, locking
from slipway.lab.errors import LabError

HOLD = """
import sys
from pathlib import Path
from slipway.lab import locking
with locking.exclusive(locking.Lock(Path(sys.argv[1]), "testing locks")):
    print("locked", flush=True)
    sys.stdin.read()
"""


def holder(lock: Path) -> subprocess.Popen[str]:
    """Start a process that takes the lock, prints a line, and holds the lock until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().rstrip()


def test_a_second_command_names_the_first_and_waits_for_it(tmp_path: Path) -> None:
    lock = tmp_path / "lab/lock"
    first = holder(lock)
    assert line(first) == "locked"
    second = holder(lock)
    waiting = line(second)
    assert f"process {first.pid}" in waiting
    assert "waiting" in waiting
    first.communicate()
    assert line(second) == "locked"
    second.communicate()


def test_a_killed_command_leaves_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    first = holder(lock)
    assert line(first) == "locked"
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = holder(lock)
    assert line(second) == "locked"
    second.communicate()


def test_a_waiting_command_takes_the_new_lock_file_after_removal_of_the_old_one(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    first = holder(lock)
    assert line(first) == "locked"
    second = holder(lock)
    assert "waiting" in line(second)
    lock.unlink()  # as `make down` does
    third = holder(lock)
    assert line(third) == "locked"
    first.communicate()
    third.communicate()
    assert line(second) == "locked"
    assert lock.read_text() == str(second.pid)
    second.communicate()


def test_a_command_may_take_a_lock_that_it_already_holds(tmp_path: Path) -> None:
    nested = HOLD.replace("with locking.exclusive():", "with locking.exclusive(), locking.exclusive():")
    done = subprocess.run(
        [sys.executable, "-c", nested, str(tmp_path / "lock")],
        input="",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "locked\n"


def test_an_unwritable_lock_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "LAB_LOCK", locking.Lock(tmp_path, "testing"))
    with pytest.raises(LabError, match="cannot be written"), locking.exclusive():
        pass


def test_a_full_disk_is_reported_as_such(tmp_path: Path, small_disk: Callable[[Path, str], list[str]]) -> None:
    folder = tmp_path / "disk"
    command = [*small_disk(folder, "nr_inodes=1"), sys.executable, "-c", HOLD, str(folder / "lock")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        f"slipway.lab.errors.LabError: Writing {folder}/lock failed because the disk is full: free some space for "
        f"{disk.PLACES}, then run again. (No space left on device)"
    )
