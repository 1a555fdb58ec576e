# SPDX-License-Identifier: Apache-2.0
"""What a person sees who asks the lab for something that it cannot do."""

import os
import subprocess
import sys

import pytest

# Root's Python need not be readable by others, so the rights are given up when everything is imported.
AS_NOBODY = "import os, sys, slipway.lab.__main__ as lab; os.setuid(65534); sys.exit(lab.main())"


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
def test_a_number_of_hosts_that_is_none_is_refused_before_anything_is_started(count: str) -> None:
    done = lab("create", f"--count={count}", LAB="offline")
    assert done.returncode == 1
    assert done.stderr == f"slipway: HOSTS={count} is not a number of hosts: use HOSTS=1 or more.\n"
    assert done.stdout == ""


def test_an_unknown_setting_is_refused() -> None:
    done = lab("create", "--count=1", LAB="sometimes")
    assert done.returncode == 1
    assert "LAB=sometimes is not a setting of the lab" in done.stderr


def test_a_host_is_isolated_or_has_an_alias_beside_its_own_network_and_not_both() -> None:
    done = lab("create", "a", "--isolated", "--isolated-alias=mirror.slipway.test", LAB="offline")
    assert done.returncode != 0
    assert "not allowed with argument" in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
def test_without_root_and_without_an_engine_there_is_one_sentence() -> None:
    done = python("-c", AS_NOBODY, "create", "--count=1", LAB="offline", DOCKER_HOST="unix:///nonexistent.sock")
    assert done.returncode == 1
    assert done.stderr.startswith("slipway: No Docker engine answers, and only root on Linux can start one.")
    assert "DOCKER_HOST" in done.stderr
    assert done.stdout == ""
