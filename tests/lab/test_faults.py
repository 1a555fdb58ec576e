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

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 60
# The programs of a run on a host, to pgrep and pkill: its modules, and dnf, which one of them starts.
MODULES = "dnf|python3"
# The phases at whose beginning a play is killed.
PHASES = ["Packages | Verify", "Daemon | Validate", "Access | Manage"]


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
    wait_until(lambda: host.run("pgrep", "--exact", MODULES)[0] == 1, "the killed play's modules still run")


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
    """Fault: `kill -9` of the play between phases. Outcome: the next run finishes."""
    host.converge_until(lambda line: phase in line, docker_access_members=["alice"])
    wait_for_modules(host)
    assert_healed(host, docker_access_members=["alice"])


def test_a_repository_that_goes_away_while_packages_are_fetched(host: LabHost) -> None:
    """Fault: the repository becomes unreachable while packages are downloaded. Outcome: a clear error and no package
    installed; the next run converges.

    The host's own firewall cuts the line after the metadata and some packages.
    """
    host.sh(
        "iptables --append OUTPUT --protocol tcp --dport 443 --match quota --quota 20000 --jump ACCEPT;"
        "iptables --append OUTPUT --protocol tcp --dport 443 --jump REJECT --reject-with tcp-reset"
    )
    packages = host.sh("rpm --query --all | sort")
    run = host.converge()
    assert run.status != 0
    assert "cannot be installed: Error: Error downloading packages" in run.failure(host.name)
    assert host.sh("rpm --query --all | sort") == packages
    host.sh("iptables --flush OUTPUT")
    assert_healed(host)


def test_a_disk_that_is_full_when_packages_come(host: LabHost) -> None:
    """Fault: the disk is full when packages are installed. Outcome: no package is installed; the next run converges.

    Of the real size of a disk, only the little that is left matters.
    """
    packages = host.sh("rpm --query --all | sort")
    host.sh("mount -t tmpfs -o size=20m tmpfs /var/cache/dnf")
    run = host.converge()
    assert run.status != 0
    assert "cannot be installed" in run.failure(host.name)
    assert host.sh("rpm --query --all | sort") == packages
    host.sh("umount /var/cache/dnf")
    assert_healed(host)


def test_a_disk_that_is_full_when_the_configuration_is_written(host: LabHost) -> None:
    """Fault: the disk is full when `daemon.json` is written. Outcome: every old file is intact and the engine serves
    on; the next run converges.
    """
    assert host.converge().status == 0
    host.sh(
        "cp -a /etc/docker /tmp/kept; mount -t tmpfs -o size=16k,mode=755 tmpfs /etc/docker;"
        "cp -a /tmp/kept/. /etc/docker;"
        "dd if=/dev/zero of=/etc/docker/filler 2>/dev/null || true"
    )
    look = (
        "sha256sum /etc/docker/daemon.json; find /etc/docker /etc/systemd/system -type f | sort;"
        "systemctl show docker.service --property=MainPID"
    )
    before = host.sh(look)
    options: dict[str, Any] = {
        "docker_engine_daemon_options": {"debug": True, "hosts": ["fd://", "tcp://127.0.0.1:2375"]}
    }
    run = host.converge(**options)
    assert run.status != 0
    assert "/etc/docker/daemon.json cannot be written: No space left on device" in run.failure(host.name)
    assert host.sh(look) == before
    host.sh("rm /etc/docker/filler")
    assert_healed(host, **options)


def test_a_power_cut_while_packages_are_unpacked(host: LabHost) -> None:
    """Fault: a power cut while rpm unpacks packages. Outcome: the next run finishes.

    rpm itself is killed, with a file half written.
    """
    run = threading.Thread(target=host.converge)
    run.start()
    wait_until(lambda: host.run("sh", "-c", "ls /usr/bin/dockerd*")[0] == 0, "dockerd is unpacked")
    host.sh(f"pkill --signal KILL --exact '{MODULES}'")
    run.join()
    assert host.run("rpm", "--query", "docker-ce")[0] == 1, "the cut came too late"
    assert_healed(host)


def test_a_power_cut_in_an_upgrade_leaves_containers_running(host: LabHost) -> None:
    """Fault: a power cut in an upgrade. Outcome: the next run finishes, old builds that were left are removed, and
    containers keep running.
    """
    assert host.converge(docker_engine_version="20.10").status == 0
    host.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
    container = host.sh("docker run --detach slipway/hello sleep 600")
    process = "docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' " + container
    before = host.sh(process)
    run = threading.Thread(target=host.converge, kwargs={"docker_engine_version": "26.1"})
    run.start()
    wait_until(lambda: host.run("sh", "-c", "ls '/usr/bin/dockerd;'*")[0] == 0, "the new dockerd is unpacked")
    host.sh(f"pkill --signal KILL --exact '{MODULES}'")
    run.join()
    assert_healed(host, docker_engine_version="26.1")
    assert host.sh(process) == before
