# SPDX-License-Identifier: Apache-2.0
"""What a person sees who asks the lab for something that it cannot do."""

import os
import subprocess
import sys

import pytest


def lab(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "slipway.lab", *arguments],
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
