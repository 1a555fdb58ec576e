# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the hosts of a swarm have to do, for answers as docker_swarm_info gives them."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import swarm_plan

SETTINGS: dict[str, Any] = {
    "state": "present",
    "labels": {},
    "availability": "active",
    "advertise_address": "",
    "data_path_address": "",
    "listen_address": "0.0.0.0:2377",
    "data_path_port": 4789,
    "address_pools": [],
    "subnet_size": 24,
    "certificate_days": 90,
    "task_history": 5,
    "autolock": False,
    "unlock_key_file": "",
    "backup_file": "",
    "lost_nodes": "keep",
    "networks": [],
    "timeout": 300,
}
SWARM = {"id": "s1", "data_path_port": 4789, "address_pools": ["10.0.0.0/8"], "subnet_size": 24}
MANAGERS, WORKERS = ["m1", "m2", "m3"], ["w1"]


def answer(name: str, state: str = "active", **others: Any) -> dict[str, Any]:
    """Return the answer of a host; m... are managers with a quorum, and know all nodes."""
    wanted = {"state": "present", "availability": "active", "labels": {}, **others.pop("wanted", {})}
    if state == "absent":
        return {"node": {"state": "absent"}, "swarm": None, "nodes": None, "wanted": wanted}
    is_manager = name.startswith("m") and state == "active"
    node = {
        "state": state,
        "id": "" if state == "inactive" else f"id-{name}",
        "address": "" if state == "inactive" else f"10.0.0.{name[1:]}",
        "is_manager": is_manager,
        "is_leader": is_manager and name == "m1",
        "has_quorum": True if is_manager else None,
        "error": "",
        "swarm_id": "" if state == "inactive" else "s1",
        "live_restore": False,
        "engine_version": "29.7.2",
        **others,
    }
    known = bool(node["has_quorum"])
    return {
        "node": node,
        "swarm": SWARM if known else None,
        "nodes": [listed(each) for each in (*MANAGERS, *WORKERS)] if known else None,
        "wanted": wanted,
    }


def listed(name: str, **others: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}",
        "hostname": name,
        "role": "manager" if name.startswith("m") else "worker",
        "availability": "active",
        "labels": {},
        "state": "ready",
        "is_leader": name == "m1",
        "is_reachable": name.startswith("m"),
        "manager_address": f"10.0.0.{name[1:]}:2377" if name.startswith("m") else "",
        **others,
    }


def whole(**changed: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of three managers and a worker of one swarm, except where they are changed."""
    return {name: changed.get(name, answer(name)) for name in (*MANAGERS, *WORKERS)}


def fresh(**changed: dict[str, Any]) -> dict[str, Any]:
    return {name: changed.get(name, answer(name, "inactive")) for name in (*MANAGERS, *WORKERS)}


def problems(answers: dict[str, Any], host: str = "m1", check_mode: bool = False, **settings: Any) -> list[str]:
    return list(swarm_plan.problems({**SETTINGS, **settings}, [answers], MANAGERS, WORKERS, host, check_mode))


def plan(*answers: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    return dict(swarm_plan.plan(answers, MANAGERS, WORKERS, check_mode))


def test_fresh_hosts_get_one_first_manager_and_the_others_join() -> None:
    assert problems(fresh()) == []
    found = plan(fresh())
    assert found["first"] == "m1"
    assert found["acting"] == ""
    assert found["joining"] == {"m2": "manager", "m3": "manager", "w1": "worker"}
    # When the first has its swarm, the others join there.
    began = {"m1": {**answer("m1"), "nodes": [listed("m1")]}}
    found = plan(fresh(), began)
    assert (found["first"], found["acting"], found["addresses"]) == ("", "m1", ["10.0.0.1:2377"])
    assert list(found["joining"]) == ["m2", "m3", "w1"]
    found = plan(fresh(), began, {"m2": answer("m2"), "w1": {"skipped": True}, "m3": {"failed": True, "msg": "no"}})
    assert list(found["joining"]) == ["m3", "w1"]


def test_a_swarm_that_is_as_the_inventory_says_has_nothing_to_do() -> None:
    assert problems(whole()) == []
    found = plan(whole())
    assert (found["first"], found["acting"], found["joining"]) == ("", "m1", {})
    assert found["nodes"][3] == {"id": "id-w1", "role": "worker", "availability": "active", "labels": {}}
    assert (found["leaving"], found["ends"], found["locked"]) == ([], False, [])


@pytest.mark.parametrize("silent", [{}, answer("m2", "absent")])
def test_no_second_swarm_is_made_while_a_manager_does_not_answer(silent: dict[str, Any]) -> None:
    """Fault: no host that answers is in a swarm, and a manager is unreachable or left out by --limit. Outcome: refused,
    since it may be a manager of a swarm that would be set up a second time.
    """
    assert plan(fresh(m2=silent))["first"] == ""
    (sentence,) = problems(fresh(m2=silent))
    assert "m2 did not answer" in sentence
    assert "second time" in sentence
    # A worker cannot know of another swarm's managers than those that have answered.
    assert plan(fresh(w1={}))["first"] == "m1"


def test_a_dry_run_takes_hosts_without_an_engine_for_those_that_get_one() -> None:
    bare = {name: answer(name, "absent") for name in (*MANAGERS, *WORKERS)}
    assert plan(bare, check_mode=True)["first"] == "m1"
    assert problems(bare, check_mode=True) == []
    assert "m1 has no engine that answers" in problems({**whole(), "m1": answer("m1", "absent")})[0]


def test_two_swarms_are_refused_with_their_hosts() -> None:
    """Fault: two managers have each initialized a swarm, or a host is a node of another one. Outcome: refused, with the
    hosts of each; nothing changes.
    """
    other = whole(m2=answer("m2", swarm_id="s2"))
    (sentence,) = problems(other, "w1")
    assert "m1 and m3 and w1 in s1, m2 in s2" in sentence
    assert "docker swarm leave" in sentence


def test_a_swarm_without_a_quorum_is_refused_with_the_command_that_recovers_it() -> None:
    """Fault: most managers of a swarm are lost. Outcome: refused with the recovery command, which no run executes."""
    lonely = answer("m1", has_quorum=False, error="The swarm does not have a leader")
    (sentence,) = problems({"m1": lonely, "m2": {}, "m3": {}, "w1": answer("w1")})
    assert "docker swarm init --force-new-cluster --advertise-addr 10.0.0.1 on m1" in sentence
    assert "never" in sentence
    assert plan({"m1": lonely, "m2": {}, "m3": {}, "w1": answer("w1")})["acting"] == ""


def test_a_run_without_a_manager_of_the_swarm_is_refused() -> None:
    (sentence,) = problems({"m1": {}, "m2": {}, "m3": {}, "w1": answer("w1")}, "w1")
    assert "--limit docker_swarm_managers,w1" in sentence


def test_locked_managers_need_their_key() -> None:
    (sentence,) = problems(whole(m3=answer("m3", "locked")))
    assert "m3 are locked" in sentence or "m3 is locked" in sentence or "on m3" in sentence
    assert plan(whole(m3=answer("m3", "locked")))["locked"] == ["m3"]
    (sentence,) = problems(whole(m3=answer("m3", "locked")), check_mode=True, unlock_key_file="/srv/key")
    assert "run without --check" in sentence


def test_the_swarm_is_changed_on_a_manager_that_stays_one() -> None:
    leaving = answer("m1", wanted={"state": "absent"})
    found = plan(whole(m1=leaving))
    assert found["acting"] == "m2"
    assert found["able"] == ["m2", "m3", "m1"]
    assert found["leaving"] == ["m1"]
    assert found["leaving_nodes"] == [{"id": "id-m1", "role": "worker", "availability": "drain"}]
    assert "id-m1" not in [node["id"] for node in found["nodes"]]
    assert "id-m1" in found["known"]


def test_all_hosts_may_leave_and_managers_may_not_leave_workers_alone() -> None:
    gone = {"state": "absent"}
    alone = {**{name: answer(name, wanted=gone) for name in MANAGERS}, "w1": answer("w1")}
    assert "keep a manager" in problems(alone)[0]
    everyone = {name: answer(name, wanted=gone) for name in (*MANAGERS, *WORKERS)}
    assert problems(everyone, state="absent") == []
    assert plan(everyone)["ends"]


def test_a_manager_that_leaves_alone_does_not_end_the_swarm() -> None:
    """With --limit, the others do not answer, and its leave by force would cost the swarm a manager or its quorum."""
    alone = {"m1": {}, "m2": answer("m2", wanted={"state": "absent"}), "m3": {}, "w1": {}}
    (sentence,) = problems(alone, "m2", state="absent")
    assert "other nodes, m1, m3, w1" in sentence
    assert not plan(alone)["ends"]
    lost = [listed(name, state="ready" if name == "m2" else "down") for name in (*MANAGERS, *WORKERS)]
    alone["m2"]["nodes"] = lost
    assert problems(alone, "m2", state="absent") == []
    assert plan(alone)["ends"]


def test_a_worker_that_leaves_without_a_manager_that_answers_is_refused() -> None:
    """It would be neither drained nor removed."""
    alone = {"m1": {}, "m2": {}, "m3": {}, "w1": answer("w1", wanted={"state": "absent"})}
    assert "--limit docker_swarm_managers,w1" in problems(alone, "w1", state="absent")[0]
    assert not plan(alone)["ends"]


def test_a_host_whose_node_was_removed_leaves() -> None:
    removed = answer("w1", wanted={"state": "absent"})
    removed["node"]["id"] = "id-gone"
    found = plan(whole(w1=removed))
    assert (found["leaving"], found["leaving_nodes"]) == (["w1"], [])


def test_all_nodes_are_known_only_when_every_host_has_answered() -> None:
    """Fault: a host is down or left out by --limit while lost nodes are to be removed. Outcome: none is removed."""
    assert plan(whole())["is_complete"]
    assert not plan({**whole(), "w1": {}})["is_complete"]
    assert not plan({**whole(), "w1": answer("w1", "absent")})["is_complete"]
    assert plan(whole())["known"] == ["id-m1", "id-m2", "id-m3", "id-w1"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"m2": answer("m2", "error", error="x509")}, ["m2 is in the state error", "docker swarm leave --force"]),
        ({"m2": answer("m2", "pending")}, ["m2 is pending", "journalctl --unit=docker.service"]),
        ({"m2": answer("m2", id="id-gone")}, ["does not know the node on m2", "docker swarm leave --force"]),
        ({"m2": answer("m2", "inactive", live_restore=True)}, ["m2 has live-restore", "playbooks/swarm.yml"]),
    ],
)
def test_a_host_that_cannot_be_a_node_is_refused(changed: dict[str, Any], words: list[str]) -> None:
    (sentence,) = problems(whole(**changed), "m2")
    assert all(word in sentence for word in words), sentence
    assert problems(whole(**changed), "w1") == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data_path_port": 4790}, ["has the port 4789, not 4790"]),
        ({"address_pools": ["10.20.0.0/16"]}, ["address pools", "10.20.0.0/16"]),
        ({"advertise_address": "10.9.9.9"}, ["with the address 10.0.0.1", "leaves and joins"]),
        ({"advertise_address": "10.9.9.9:2377"}, ["with the address 10.0.0.1"]),
    ],
)
def test_what_a_swarm_keeps_as_long_as_it_exists_is_refused(settings: dict[str, Any], words: list[str]) -> None:
    (sentence,) = problems(whole(), **settings)
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("address", ["", "10.0.0.1", "10.0.0.1:2377", "eth0", "eth0:2377"])
def test_an_address_or_an_interface_is_accepted(address: str) -> None:
    assert problems(whole(), advertise_address=address) == []


def test_an_address_of_ipv6_may_be_spelt_in_another_way() -> None:
    known = whole(m1=answer("m1", address="fd00::1"))
    assert problems(known, advertise_address="FD00:0::1") == []
    assert "is a node with the address fd00::1" in problems(known, advertise_address="fd00::2")[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"state": "gone"}, ["docker_swarm_state is 'gone'", "present or absent"]),
        ({"availability": True}, ["docker_swarm_availability", "quote it"]),
        ({"certificate_days": 0}, ["docker_swarm_certificate_days is 0"]),
        ({"task_history": -1}, ["docker_swarm_task_history is -1"]),
        ({"timeout": "soon"}, ["docker_swarm_timeout is not a whole number"]),
        ({"data_path_port": 80}, ["from 1024 to 49151"]),
        ({"address_pools": ["10.20.0.1/16"]}, ["10.20.0.1/16", "not a network"]),
        ({"address_pools": ["10.20.0.0/16"], "subnet_size": 8}, ["docker_swarm_subnet_size is 8", "16 to 29"]),
        ({"advertise_address": "0.0.0.0"}, ["docker_swarm_advertise_address is 0.0.0.0"]),
        ({"autolock": True}, ["docker_swarm_unlock_key_file"]),
        ({"labels": ["ssd"]}, ["docker_swarm_labels is not a mapping"]),
        ({"labels": {"disk": ["ssd"]}}, ["disk", "use a text"]),
        ({"networks": [{"encrypted": True}]}, ["entry 1 of docker_swarm_networks has no name"]),
        ({"networks": [{"name": "a", "subnet": "10.0.0.1/24"}]}, ["10.0.0.1/24"]),
        ({"networks": [{"name": "a", "subnet": 10}]}, ["'10'"]),
        ({"networks": None}, ["docker_swarm_networks is not a list"]),
        ({"networks": [{"name": "a"}, {"name": "a", "encrypted": False}]}, ["has a more than once"]),
    ],
)
def test_invalid_settings_are_refused_with_a_sentence(settings: dict[str, Any], words: list[str]) -> None:
    (sentence,) = problems(fresh(), **settings)
    assert all(word in sentence for word in words), sentence
    assert sentence.endswith(".")


def test_groups_that_are_empty_or_overlap_are_refused() -> None:
    empty = swarm_plan.problems(SETTINGS, [{}], [], ["w1"], "w1")
    assert "the group docker_swarm_managers has no hosts" in empty[0]
    both = swarm_plan.problems(SETTINGS, [{}], ["m1"], ["m1"], "m1")
    assert "m1 are in both" in both[0] or "in both" in both[0]
