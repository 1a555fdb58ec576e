# SPDX-License-Identifier: Apache-2.0
"""Messages of the lab's command line for requests that it rejects, and for failures outside the lab."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docker.errors import APIError

from slipway.lab import __main__ as command_line
from slipway.lab import disk

pytestmark = pytest.mark.program

# Other users may not be able to read root's Python, so privileges are dropped after the imports.
AS_NOBODY = """
import os, pathlib, sys, tempfile, slipway.lab.__main__ as lab
with tempfile.TemporaryDirectory() as folder:
    lab.private_engine.PID_FILE = pathlib.Path(folder, "engine.pid")  # this clone's own engine may be running
    lab.locking.LAB_LOCK = lab.locking.Lock(pathlib.Path(folder, "lock"), "testing")
    os.chown(folder, 65534, -1)
    os.setuid(65534)
    sys.exit(lab.main())
"""


def lab(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "slipway.lab", *arguments, **environment)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("count", ["0", "-1", "two", ""])
def test_an_invalid_number_of_hosts_is_rejected_before_anything_starts(count: str) -> None:
    done = lab("create", f"--count={count}", LAB="offline")
    assert done.returncode == 1
    assert done.stderr == f"slipway: HOSTS={count} is not a number of hosts: use HOSTS=1 or more.\n"
    assert done.stdout == ""


def test_an_unknown_setting_is_rejected() -> None:
    done = lab("create", "--count=1", LAB="sometimes")
    assert done.returncode == 1
    assert "LAB=sometimes is not a valid setting" in done.stderr


def test_an_unknown_system_is_rejected() -> None:
    done = lab("create", "--count=1", "--system=el11", LAB="offline")
    assert done.returncode == 1
    assert done.stderr == "slipway: HOST=el11 is not a system of the lab: use HOST=el9, HOST=el10, HOST=fedora43.\n"


def test_isolated_and_isolated_alias_exclude_each_other() -> None:
    done = lab("create", "a", "--isolated", "--isolated-alias=mirror.slipway.test", LAB="offline")
    assert done.returncode != 0
    assert "not allowed with argument" in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop privileges")
def test_without_root_and_engine_the_error_is_one_sentence() -> None:
    done = python("-c", AS_NOBODY, "create", "--count=1", LAB="offline", DOCKER_HOST="unix:///nonexistent.sock")
    assert done.returncode == 1
    assert done.stderr.startswith("slipway: No Docker engine answers at DOCKER_HOST=unix:///nonexistent.sock:")
    assert done.stdout == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop privileges")
def test_an_engine_that_the_user_may_not_access_is_reported_with_the_remedy() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as engine:
        path = Path(folder, "docker.sock")
        engine.bind(str(path))
        path.chmod(0o600)
        path.parent.chmod(0o755)
        done = python("-c", AS_NOBODY, "create", "--count=1", LAB="offline", DOCKER_HOST=f"unix://{path}")
    assert done.returncode == 1
    assert done.stderr == (
        f"slipway: This user may not access the Docker engine at unix://{path}: add the user to the group of the "
        "socket and log in again, or run this as root.\n"
    )


def write_to_a_full_disk() -> None:
    Path("/dev/full").write_text("content")


def import_an_image() -> None:
    raise APIError("500 Server Error", explanation="write /var/lib/docker/tmp/layer: no space left on device")


def run_a_program() -> None:
    subprocess.run(["false"], check=True)


def use_an_engine_that_has_stopped() -> None:
    raise APIError("500 Server Error", explanation="the container has no process")


FULL = f"The lab failed because the disk is full: free some space for {disk.PLACES}, or for the data of the Docker "
FAILED = "fix the cause, or remove the lab with `make down`, then run again."


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (write_to_a_full_disk, f"{FULL}engine, then run again. ([Errno 28] No space left on device)"),
        (
            import_an_image,
            f"{FULL}engine, then run again. "
            '(500 Server Error ("write /var/lib/docker/tmp/layer: no space left on device"))',
        ),
        (
            use_an_engine_that_has_stopped,
            f'The lab failed (500 Server Error ("the container has no process")): {FAILED}',
        ),
        (run_a_program, f"The lab failed (Command '['false']' returned non-zero exit status 1.): {FAILED}"),
    ],
)
def test_a_failure_of_the_machine_is_one_sentence(
    failing: Callable[[], None], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "_up", failing)
    monkeypatch.setattr("sys.argv", ["slipway.lab", "status"])
    assert command_line.main() == 1
    assert capsys.readouterr().err == f"slipway: {message}\n"
