# SPDX-License-Identifier: Apache-2.0
"""Claims about nodes of a swarm (role docker_swarm), asked of each node and of the managers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Variable = Callable[[str, Any], Any]
MANAGERS, WORKERS = "docker_swarm_managers", "docker_swarm_workers"


@pytest.fixture(scope="module")
def groups(host: Host, variable: Variable) -> list[str]:
    """The groups of the inventory that the host is in."""
    found = [group for group in variable("group_names", []) if group in (MANAGERS, WORKERS)]
    if not found or variable("docker_swarm_state", "present") != "present":
        pytest.skip(f"the host is neither in {MANAGERS} nor in {WORKERS}")
    return found


@pytest.fixture(scope="module")
def info(host: Host, groups: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output("docker info --format '{{json .}}'"))
    return found


@pytest.fixture(scope="module")
def nodes(host: Host, groups: list[str]) -> list[dict[str, Any]]:
    """All nodes, as this manager knows them."""
    if MANAGERS not in groups:
        pytest.skip("only managers know the nodes")
    identities = host.check_output("docker node ls --quiet").split()
    found: list[dict[str, Any]] = json.loads(host.check_output("docker node inspect " + " ".join(identities)))
    return found


def test_the_host_is_an_active_node_with_the_role_that_the_inventory_says(
    info: dict[str, Any], groups: list[str]
) -> None:
    assert info["Swarm"]["LocalNodeState"] == "active"
    assert info["Swarm"]["ControlAvailable"] == (MANAGERS in groups)
    assert not info["Swarm"].get("Error")


def test_the_engine_of_a_node_starts_again(host: Host, info: dict[str, Any]) -> None:
    """With live-restore, a node's engine would not."""
    assert not info["LiveRestoreEnabled"]
    assert not json.loads(host.file("/etc/docker/daemon.json").content_string).get("live-restore")


def test_the_managers_have_a_quorum_and_one_leader(nodes: list[dict[str, Any]]) -> None:
    managers = [node["ManagerStatus"] for node in nodes if node.get("ManagerStatus")]
    reachable = [manager for manager in managers if manager["Reachability"] == "reachable"]
    assert len(reachable) * 2 > len(managers)
    assert [manager for manager in managers if manager.get("Leader")]


def test_no_manager_is_lost(nodes: list[dict[str, Any]]) -> None:
    lost = [
        node["Description"]["Hostname"]
        for node in nodes
        if node["Spec"]["Role"] == "manager" and (node.get("ManagerStatus") or {}).get("Reachability") != "reachable"
    ]
    assert lost == []


def test_this_node_is_ready_and_has_its_labels(
    info: dict[str, Any], nodes: list[dict[str, Any]], variable: Variable
) -> None:
    (own,) = [node for node in nodes if node["ID"] == info["Swarm"]["NodeID"]]
    assert own["Status"]["State"] == "ready"
    wanted = {key: str(value) for key, value in variable("docker_swarm_labels", {}).items() if value is not None}
    assert wanted.items() <= own["Spec"].get("Labels", {}).items()


def test_autolock_is_as_the_inventory_says(
    info: dict[str, Any], nodes: list[dict[str, Any]], variable: Variable
) -> None:
    locks = info["Swarm"]["Cluster"]["Spec"]["EncryptionConfig"]["AutoLockManagers"]
    assert locks == variable("docker_swarm_autolock", False)


def test_networks_of_the_inventory_are_there(host: Host, nodes: list[dict[str, Any]], variable: Variable) -> None:
    for wanted in variable("docker_swarm_networks", []):
        found = json.loads(host.check_output("docker network inspect %s", wanted["name"]))[0]
        assert found["Driver"] == "overlay"
        assert ("encrypted" in found["Options"]) == wanted.get("encrypted", True)
