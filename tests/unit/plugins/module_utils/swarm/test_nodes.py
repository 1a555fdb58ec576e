# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, joining, nodes

KNOWN = {
    "id": "n1",
    "hostname": "w1",
    "role": "worker",
    "availability": "active",
    "labels": {"disk": "hdd", "other": "kept"},
}
NETWORK = {"name": "backend", "encrypted": True, "attachable": False, "internal": False, "subnet": None}
FOUND = {"Driver": "overlay", "Options": {"encrypted": ""}, "Attachable": False, "Internal": False}


def manager(name: str, is_reachable: bool = True) -> dict[str, Any]:
    return {"id": name, "role": "manager", "is_reachable": is_reachable, "is_member": True}


def test_labels_are_added_changed_and_removed_and_others_stay() -> None:
    wanted = {"id": "n1", "labels": {"disk": "ssd", "rack": 7, "gone": None}}
    assert nodes.wanted_node({**KNOWN, "labels": {**KNOWN["labels"], "gone": "x"}}, wanted) == {  # type: ignore[dict-item]
        **KNOWN,
        "labels": {"disk": "ssd", "other": "kept", "rack": "7"},
    }
    assert nodes.wanted_node(KNOWN, {"id": "n1", "role": None, "availability": None, "labels": None}) == KNOWN


@pytest.mark.parametrize(
    ("managers", "leaving", "is_refused"),
    [
        ([manager("a"), manager("b"), manager("c")], set(), False),
        ([manager("a"), manager("b"), manager("c")], {"c"}, False),
        ([manager("a"), manager("b"), manager("c", False)], {"c"}, False),
        ([manager("a"), manager("b"), manager("c", False)], {"b"}, True),
        ([manager("a")], {"a"}, True),
        ([manager("a", False), manager("b", False), manager("c")], set(), False),
        # After docker swarm init --force-new-cluster.
        (
            [{**manager("a", False), "is_member": False}, {**manager("b", False), "is_member": False}, manager("c")],
            {"a"},
            False,
        ),
    ],
)
def test_no_change_leaves_a_minority_of_reachable_managers(
    managers: list[dict[str, Any]], leaving: set[str], is_refused: bool
) -> None:
    """Fault: a manager is to be demoted while others are lost. Outcome: refused if no majority would be left."""
    assert bool(nodes.quorum_problem(managers, leaving)) == is_refused


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ({}, None),
        ({"Driver": "bridge"}, "the driver overlay"),
        ({"Options": None}, "encrypted"),
        ({"Attachable": True}, "attachable"),
        ({"Internal": True}, "internal"),
    ],
)
def test_a_network_with_other_options_is_refused(found: dict[str, Any], difference: str | None) -> None:
    sentence = nodes.network_problem(NETWORK, {**FOUND, **found})
    assert (sentence is None) if difference is None else f"differs in {difference}" in str(sentence)
    assert nodes.network_problem(NETWORK, None) is None


def test_a_network_with_another_subnet_is_refused() -> None:
    wanted = {**NETWORK, "subnet": "10.30.0.0/24"}
    assert "subnet" in str(nodes.network_problem(wanted, {**FOUND, "IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}}))
    assert nodes.network_problem(wanted, {**FOUND, "IPAM": {"Config": [{"Subnet": "10.30.0.0/24"}]}}) is None


def test_a_node_that_did_not_leave_is_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its host would still take itself for a node, and the next run would refuse it."""
    asked = []
    item = {"ID": "n1", "Description": {"Hostname": "w1"}, "Status": {"State": "ready"}}
    monkeypatch.setattr(api, "get", lambda url: item)
    monkeypatch.setattr(api, "request", lambda *given: asked.append(given))
    gone = {"id": "n1", "hostname": "w1", "role": "worker", "is_member": False}
    with pytest.raises(api.SwarmError, match="w1 still answers the swarm"):
        nodes.remove([gone], 0)
    assert asked == []
    item["Status"] = {"State": "down"}
    nodes.remove([gone], 0)
    assert asked == [("DELETE", "/nodes/n1?force=1")]


def test_a_node_that_cannot_be_drained_gets_its_availability_back_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was promoted in the same run would be demoted, whatever the other managers are."""
    spec = {"Role": "manager", "Availability": "drain", "Labels": {"disk": "ssd"}}
    answers = {
        "/nodes/n1": {"ID": "n1", "Spec": spec, "Version": {"Index": 7}, "Description": {"Hostname": "w1"}},
        "/tasks": [{"Status": {"State": "running"}, "NodeID": "n1", "ServiceID": "s1"}],
        "/services": [],
    }
    sent = []
    monkeypatch.setattr(api, "get", lambda url, filters=None: answers[url])
    monkeypatch.setattr(api, "request", lambda *given: sent.append(given))
    with pytest.raises(api.SwarmError, match="could not be drained"):
        nodes.wait_until_drained(set(), [KNOWN], 0)
    assert sent == [("POST", "/nodes/n1/update?version=7", {**spec, "Availability": "active"})]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("remote CA does not match fingerprint. Expected: 1 Got: 2", "that of another swarm"),
        ("rpc error: A valid join token is necessary to join this cluster", "rotated meanwhile: run again"),
        ("invalid join token", "malformed"),
        ("could not choose an IP address to advertise since this system has 2", "set docker_swarm_advertise_address"),
        ("Timeout was reached before node joined", "see journalctl --unit=docker on both"),
        ("something else", "something else"),
    ],
)
def test_what_the_engine_says_of_a_join_gets_its_remedy(said: str, meant: str) -> None:
    """Fault: a join token of another swarm, or one that was rotated. Outcome: a sentence says so, without the token."""
    assert meant in str(joining.explained(api.SwarmError(said)))


@pytest.mark.parametrize(
    "said",
    [
        "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers",
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    ],
)
def test_a_swarm_without_a_leader_is_said_to_have_no_quorum(said: str) -> None:
    assert "has no quorum" in api.explained(api.SwarmError(said))
    assert api.explained(api.SwarmError("no")) == "no"


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", "127.0.0.1:1", "[::1]:1", "nowhere.invalid:2377", "127.0.0.1:99999"]
)
def test_an_address_at_which_nothing_listens_is_not_open(address: str) -> None:
    assert not joining.is_open(address)
