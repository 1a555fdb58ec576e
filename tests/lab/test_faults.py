# SPDX-License-Identifier: Apache-2.0
"""What goes wrong from outside: killed plays, power cuts, a repository that goes away, full disks.

Nothing that was there is lost, and the same run again heals.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from slipway.lab.workbench import LabHost, Workbench

PATIENCE_SECONDS = 60
# The phases at whose beginning a play is killed.
PHASES = ["Packages | Install", "Daemon | Prove", "Access | Keep"]


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    return workbench.make("test-faults")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)


def wait_for_modules(host: LabHost) -> None:
    """Wait until what a killed play has left running on the host has ended."""
    wait_until(lambda: host.run("pgrep", "--exact", "python3")[0] == 1, "the killed play's modules still run")


def assert_healed(host: LabHost, **variables: Any) -> None:
    """Assert that the same run again converges, and the one after it finds nothing to do."""
    run = host.converge(**variables)
    assert run.status == 0, run.output
    assert host.converge(**variables).changed(host.name) == []
    assert host.sh("docker version --format '{{.Server.Version}}'")
    assert host.sh("systemctl is-enabled docker.service") == "enabled"
    assert host.sh("rpm --query --all | sort | uniq --repeated") == ""
    assert host.run("dnf", "--quiet", "check")[1] == ""


@pytest.mark.parametrize("phase", PHASES)
def test_a_first_run_that_is_killed_between_phases_is_finished_by_the_next(host: LabHost, phase: str) -> None:
    host.converge_until(lambda line: phase in line, docker_access_members=["alice"])
    wait_for_modules(host)
    assert_healed(host, docker_access_members=["alice"])


def test_a_power_cut_while_packages_are_unpacked(host: LabHost) -> None:
    """Fault 13, the hard way: rpm itself is killed, with a file half written."""
    run = threading.Thread(target=host.converge)
    run.start()
    wait_until(lambda: host.run("sh", "-c", "ls /usr/bin/dockerd*")[0] == 0, "dockerd is unpacked")
    host.sh("pkill --signal KILL --exact python3")
    run.join()
    assert host.run("rpm", "--query", "docker-ce")[0] == 1, "the cut came too late"
    assert_healed(host)
