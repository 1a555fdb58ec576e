# SPDX-License-Identifier: Apache-2.0
"""Two hosts become a swarm: real engines, real raft, and the way between them cut for real.

The kernel here has vxlan, without IPVS and ESP: no routing mesh and no encrypted packets were run; networks that are
encrypted were made only.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from slipway.lab.play import ok
from slipway.lab.workbench import Workbench
from tests.support.swarm_hosts import SwarmHosts, inspected

SECRET = re.compile(r"SWM(?:TKN|KEY)-1-[A-Za-z0-9+/-]{20,}")
# What runs on a host, and what it knows of a swarm.
STATE = "find /etc/docker /var/lib/docker/swarm /var/lib/slipway 2>&- | sort; pgrep --exact dockerd"


@pytest.fixture(scope="module")
def two(workbench: Workbench) -> SwarmHosts:
    """Two hosts that site.yml has set up, as those of a fleet that becomes a swarm."""
    return SwarmHosts([workbench.make_converged("test-swarm-1")], [workbench.make_converged("test-swarm-2")])


@pytest.fixture(scope="module")
def swarm(two: SwarmHosts) -> SwarmHosts:
    """The same hosts as a swarm, after the refusals that need hosts without one."""
    manager = two.managers[0]
    before = [host.sh(STATE) for host in two.hosts]
    refused = two.refusal(two.apply())
    assert "live-restore" in refused
    assert "playbooks/swarm.yml" in refused
    predicted = ok(two.playbook("swarm.yml", "--check", "--diff"))
    assert predicted.changed(manager.name)
    assert [host.sh(STATE) for host in two.hosts] == before
    assert two.states() == ["inactive false", "inactive false"]
    run = ok(two.playbook("swarm.yml", "-vvv", "--diff"))
    assert "The swarm has one manager" in run.output
    assert SECRET.findall(run.output) == []
    for host in two.hosts:
        assert SECRET.findall(host.journal("--output=cat") + host.sh("cat /proc/[0-9]*/cmdline")) == []
        assert "live-restore" not in host.sh("cat /etc/docker/daemon.json")
    return two


def test_hosts_become_a_swarm_and_a_second_run_changes_nothing(swarm: SwarmHosts) -> None:
    manager, worker = swarm.hosts
    assert swarm.nodes() == [f"{manager.name} Ready Active Leader", f"{worker.name} Ready Active"]
    run = swarm.apply()
    assert swarm.changed(run) == []
    # Validation, question, check, and four that have nothing to do or are the manager's.
    assert len(run.tasks(worker.name)) <= 8
    assert swarm.changed(swarm.apply("--check")) == []


@pytest.mark.slow
def test_settings_labels_availability_and_networks_are_changed_and_shown(swarm: SwarmHosts) -> None:
    manager, worker = swarm.hosts
    wanted: dict[str, Any] = {
        "docker_swarm_certificate_days": 30,
        "docker_swarm_task_history": 2,
        "docker_swarm_networks": [{"name": "backend", "subnet": "10.77.0.0/24"}],
    }
    by_host = {
        worker.name.replace("-", "_"): {"docker_swarm_labels": {"disk": "ssd"}, "docker_swarm_availability": "pause"}
    }
    manager.sh(f"docker node update --label-add other=kept {worker.name}")
    predicted = ok(swarm.apply("--check", "--diff", by_host=by_host, **wanted))
    assert "ssd" in predicted.output
    assert inspected(manager, worker.name)["Availability"] == "active"
    assert swarm.changed(swarm.apply(by_host=by_host, **wanted))
    assert inspected(manager, worker.name) == {
        "Availability": "pause",
        "Labels": {"disk": "ssd", "other": "kept"},
        "Role": "worker",
    }
    assert manager.sh("docker info --format '{{.Swarm.Cluster.Spec.CAConfig.NodeCertExpiry}}'") == "720h0m0s"
    assert "encrypted" in manager.sh("docker network inspect --format '{{json .Options}}' backend")
    assert swarm.changed(swarm.apply(by_host=by_host, **wanted)) == []
    other = swarm.refusal(swarm.apply(docker_swarm_networks=[{"name": "backend", "encrypted": False}]))
    assert "differs in encrypted" in other
    assert swarm.changed(swarm.apply())
    assert inspected(manager, worker.name)["Availability"] == "active"


@pytest.mark.slow
def test_a_locked_manager_is_unlocked_with_the_key_on_the_controller(swarm: SwarmHosts, tmp_path: Path) -> None:
    """Fault: a manager with autolock restarts, and is locked. Outcome: the run unlocks it with the key in the file on
    the controller; without the file, it is refused with the remedy.
    """
    manager, file, password = swarm.managers[0], tmp_path / "swarm.key", tmp_path / "password"
    password.write_text("correct horse")
    wanted: dict[str, Any] = {"docker_swarm_autolock": True, "docker_swarm_unlock_key_file": str(file)}
    vault = f"--vault-password-file={password}"
    nowhere = {**wanted, "docker_swarm_unlock_key_file": str(tmp_path / "missing/key")}
    assert "cannot be written on the controller" in swarm.refusal(swarm.apply(**nowhere))
    locks = "docker info --format '{{.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers}}'"
    assert manager.sh(locks) == "false"
    run = ok(swarm.apply("-vvv", "--diff", vault, **wanted))
    assert SECRET.findall(run.output) == []
    assert file.read_text().startswith("$ANSIBLE_VAULT;")
    assert file.stat().st_mode & 0o777 == 0o600
    assert manager.sh(locks) == "true"
    manager.sh("systemctl restart docker")
    assert swarm.states()[0].startswith("locked")
    assert "docker_swarm_unlock_key_file" in swarm.refusal(swarm.apply())
    assert "--vault-password-file" in swarm.refusal(swarm.apply(**wanted))
    run = ok(swarm.apply("-vvv", vault, **wanted))
    assert SECRET.findall(run.output) == []
    assert swarm.states()[0] == "active true"
    assert swarm.changed(swarm.apply(vault, **wanted)) == []
    assert swarm.changed(swarm.apply("--check", vault, **{**wanted, "docker_swarm_autolock": False}))
    ok(swarm.apply(vault, **{**wanted, "docker_swarm_autolock": False}))
    assert manager.sh(locks) == "false"


def test_the_claims_hold(swarm: SwarmHosts) -> None:
    checked = swarm.verify()
    assert checked.returncode == 0, checked.stdout
    assert " passed" in checked.stdout


@pytest.mark.slow
def test_a_host_of_another_swarm_or_without_a_way_to_the_managers_is_refused(swarm: SwarmHosts) -> None:
    """Fault: a host is a node of another swarm, or no manager answers where it is to join. Outcome: refused; the host
    is as it was, and so is the swarm.
    """
    manager, worker = swarm.hosts
    worker.sh("docker swarm leave; docker swarm init --advertise-addr eth0")
    refused = swarm.refusal(swarm.apply())
    assert "nodes of 2 swarms" in refused
    assert refused.endswith("Nothing was changed.")
    worker.sh("docker swarm leave --force")

    cut = "iptables --{} INPUT --protocol tcp --dport 2377 --jump REJECT"
    manager.sh(cut.format("insert"))
    refused = swarm.refusal(swarm.apply())
    assert "no manager answers at" in refused
    assert "2377/tcp" in refused
    assert swarm.states()[1] == "inactive false"
    manager.sh(cut.format("delete"))
    # The host joins as another node than the one that has left.
    assert len(swarm.nodes()) == 2
    assert swarm.changed(swarm.apply(docker_swarm_lost_nodes="remove"))
    assert swarm.nodes() == [f"{manager.name} Ready Active Leader", f"{worker.name} Ready Active"]


@pytest.mark.slow
def test_a_swarm_with_one_manager_is_upgraded_too(swarm: SwarmHosts) -> None:
    """The manager drains and activates itself. The version is the installed one, so that no package changes."""
    manager, worker = swarm.hosts
    version = manager.sh("rpm --query --queryformat '%{VERSION}' docker-ce")
    run = ok(swarm.playbook("upgrade.yml", docker_engine_version=version))
    for host in swarm.hosts:
        changed = [name.rpartition(" : ")[2] for name in run.changed(host.name)]
        assert changed[0] == "Drain | Move the services to other nodes"
        assert changed[-1] == "Activate | Give the node tasks again"
    assert swarm.nodes() == [f"{manager.name} Ready Active Leader", f"{worker.name} Ready Active"]


@pytest.mark.slow
def test_a_host_leaves_and_the_last_one_ends_the_swarm(swarm: SwarmHosts) -> None:
    manager, worker = swarm.hosts
    gone = {worker.name.replace("-", "_"): {"docker_swarm_state": "absent"}}
    assert swarm.changed(swarm.apply("--check", by_host=gone))
    assert swarm.states()[1] == "active false"
    assert swarm.changed(swarm.apply(by_host=gone))
    assert swarm.nodes() == [f"{manager.name} Ready Active Leader"]
    assert swarm.states()[1] == "inactive false"
    assert swarm.changed(swarm.apply(by_host=gone)) == []
    ok(swarm.apply())
    assert swarm.changed(swarm.apply(docker_swarm_state="absent"))
    assert swarm.states() == ["inactive false", "inactive false"]
    assert swarm.changed(swarm.apply(docker_swarm_state="absent")) == []
    ok(swarm.apply())
