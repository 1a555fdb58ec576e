# SPDX-License-Identifier: Apache-2.0
"""A fleet is upgraded batch by batch, and the first unhealthy batch is the last one."""

import pytest

from slipway.lab import play
from slipway.lab.paths import PROJECT
from slipway.lab.workbench import LabHost, Workbench

UNMASK = "systemctl unmask docker.socket"
REOPEN = "systemctl restart docker.socket docker.service"
OLD, NEW = "20.10.24", "26.1.5"


@pytest.fixture(scope="module")
def fleet(workbench: Workbench) -> list[LabHost]:
    """Two hosts with the older engine."""
    return [workbench.make_converged(name, docker_engine_version="20.10") for name in ("test-fleet-1", "test-fleet-2")]


def upgrade(fleet: list[LabHost], version: str, serial: int = 1) -> play.Run:
    others = [f"--inventory={host.inventory}" for host in fleet[1:]]
    playbook = PROJECT / "playbooks/upgrade.yml"
    return play.run(playbook, fleet[0].inventory, {"docker_engine_version": version, "upgrade_serial": serial}, others)


def versions(fleet: list[LabHost]) -> list[str]:
    return [host.sh("rpm --query --queryformat '%{VERSION}' docker-ce") for host in fleet]


def test_an_upgrade_needs_a_version(fleet: list[LabHost]) -> None:
    run = upgrade(fleet, "")
    assert run.status != 0
    assert "docker_engine_version" in run.failure(fleet[0].name)
    assert versions(fleet) == [OLD, OLD]


def test_a_host_that_is_refused_keeps_its_whole_batch_as_it_was(fleet: list[LabHost]) -> None:
    """Fault: one host of a batch cannot be upgraded. Outcome: no host of the batch is."""
    fleet[1].sh("systemctl mask docker.socket")
    run = upgrade(fleet, NEW, serial=2)
    assert run.status != 0
    remedy = f"docker.socket is masked, so docker cannot start: run {UNMASK}, and where docker runs, {REOPEN}"
    assert remedy in run.failure(fleet[1].name)
    assert versions(fleet) == [OLD, OLD]
    fleet[1].sh(f"{UNMASK}; {REOPEN}")  # the next test upgrades this host


def test_the_first_unhealthy_batch_is_the_last_one(fleet: list[LabHost]) -> None:
    """Fault: a host of the fleet is unhealthy after its upgrade. Outcome: the upgrade of the fleet stops there."""
    first = fleet[0]
    first.sh("touch /etc/docker/loose; chmod 666 /etc/docker/loose")
    run = upgrade(fleet, NEW)
    assert run.status != 0
    message = run.failure(first.name)
    assert first.name in message
    assert "test_only_root_can_write_the_configuration" in message
    assert versions(fleet) == [NEW, OLD]

    first.sh("rm /etc/docker/loose")
    run = upgrade(fleet, NEW)
    assert run.status == 0, run.output
    assert versions(fleet) == [NEW, NEW]
