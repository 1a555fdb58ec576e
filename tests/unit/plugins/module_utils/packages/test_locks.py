# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What dnf 4.23 and dnf5 5.4 say about locks was recorded on Debian's; the locks on files are real."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import locks

METADATA = "metadata already locked by {0}\n  The application with PID {0} is: sleep\n    Memory : 1.6 M RSS\n"
REFUSED = [
    "RPM: error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)\n"
    "Error: Could not run transaction.\n",
    "Key import failed (code 2). Failing package is: containerd.io-1.7.1-1.el9.noarch\nError: GPG check FAILED\n",
    "[1/1] Total 100%\nRunning transaction\nTransaction failed: Rpm transaction failed.\n",
]
HOLD = "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"


class Dnf:
    """Answers with each of the results in turn, and then with the last one."""

    def __init__(self, *results: tuple[int, str]) -> None:
        self.results, self.calls = list(results), 0

    def run_command(self, *_: Any, **__: Any) -> tuple[int, str, str]:
        self.calls += 1
        code, errors = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        return code, "", errors


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of rpm's database, and almost no patience."""
    monkeypatch.setattr(locks, "RPM_LOCKS", (str(tmp_path / "absent"), str(tmp_path / "lock")))
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.05)
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        yield process


def test_the_holder_of_a_lock_of_dnf_is_named(holder: subprocess.Popen[str]) -> None:
    """Fault: another process keeps dnf's lock. Outcome: after a minute, the run fails with its PID and name."""
    with pytest.raises(
        locks.LockError, match=rf"process {holder.pid} \(python.*\) has held .* stop it, then run again"
    ):
        locks.run(Dnf((200, METADATA.format(holder.pid))), [])


@pytest.mark.parametrize("errors", REFUSED)
def test_the_holder_of_the_lock_of_rpm_is_named(holder: subprocess.Popen[str], errors: str) -> None:
    with pytest.raises(locks.LockError, match=f"process {holder.pid} "):
        locks.run(Dnf((1, errors)), [])


def test_a_lock_that_becomes_free_is_waited_for(holder: subprocess.Popen[str]) -> None:
    dnf = Dnf((200, METADATA.format(1)), (1, REFUSED[0]), (0, "done"))
    assert locks.run(dnf, [])[::2] == (0, "done")
    assert dnf.calls == 3


@pytest.mark.parametrize("errors", [*REFUSED, "Error: Unable to find a match: docker-ce\n"])
def test_other_failures_are_returned_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    (tmp_path / "lock").touch()
    monkeypatch.setattr(locks, "RPM_LOCKS", (str(tmp_path / "lock"),))
    dnf = Dnf((1, errors))
    assert locks.run(dnf, []) == (1, "", errors)
    assert dnf.calls == 1


def test_a_holder_that_is_not_visible_is_another_process() -> None:
    assert locks.holder_of(200, "metadata is locked\n") == "another process"
    assert locks.described(0) == "another process"
    assert locks.described(2**22) == f"process {2**22}"


def test_asking_for_a_lock_does_not_take_it(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX)
        assert locks.holder_of_file(str(tmp_path / "lock")) is None, "a process does not wait for itself"
