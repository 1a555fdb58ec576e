# SPDX-License-Identifier: Apache-2.0
"""Messages of the lab's command line for requests that it rejects."""

import os
import subprocess
import sys

import pytest

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
