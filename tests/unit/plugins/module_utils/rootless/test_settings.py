# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.rootless import settings

GOOD: dict[str, Any] = {
    "name": "bob",
    "state": "present",
    "daemon_options": {"registry-mirrors": ["https://mirror.example.com"], "data-root": "/data/bob"},
    "network": "pasta",
    "subid_start": 200000,
    "subid_count": 131072,
    "context": False,
    "purge_data": False,
}


def problems(*users: Any, daemon_options: Any = None, port_start: Any = None) -> list[str]:
    wanted = {"users": list(users), "daemon_options": daemon_options or {}, "port_start": port_start}
    found: list[str] = settings.problems(wanted)
    return found


def test_names_and_mappings_are_users() -> None:
    assert problems("alice", GOOD, daemon_options={"debug": True}, port_start=80) == []
    assert [entry["name"] for entry in settings.entries(["alice", GOOD])] == ["alice", "bob"]
    assert settings.entries(["alice"])[0]["subid_count"] == 65536


# What is said of each mistake; only one sentence each.
MISTAKES: dict[str, tuple[list[Any], list[str]]] = {
    "root": (["root"], ["root", "users who should not be root"]),
    "a number for a name": ([1001], ["entry 1", "neither a name nor a mapping"]),
    "no name": ([{"state": "absent"}], ["entry 1", "has no name"]),
    "a name that YAML took for a boolean": ([{"name": True}], ["entry 1", "quotation marks"]),
    "an unknown key": ([{"name": "alice", "daemon_option": {}}], ["alice", "did you mean daemon_options?"]),
    "an unknown state": ([{"name": "alice", "state": "gone"}], ["state is gone", "present, absent"]),
    "an unknown network": ([{"name": "alice", "network": "bridge"}], ["network is bridge", "slirp4netns"]),
    "a text for a boolean": ([{"name": "alice", "context": "no"}], ["context is neither true nor false"]),
    "a text for a number": ([{"name": "alice", "subid_start": "200000"}], ["whole numbers"]),
    "options that are a list": ([{"name": "alice", "daemon_options": ["debug"]}], ["daemon_options is not a mapping"]),
    "a purge of what stays": ([{"name": "alice", "purge_data": True}], ["purge_data", "state: absent only"]),
    "too few numbers": ([{"name": "alice", "subid_count": 1000}], ["subid_count is 1000", "65536 or more"]),
    "numbers of real users": (
        [{"name": "alice", "subid_start": 1000}],
        ["numbers from 1000 on", "such as 100000"],
    ),
    "numbers beyond the last": ([{"name": "alice", "subid_start": 4294967000}], ["beyond the last one"]),
    "a user who is listed twice": (["alice", {"name": "alice"}], ["alice more than once"]),
    "ranges that overlap": (
        [{"name": "bob", "subid_start": 230000}, {"name": "alice", "subid_start": 200000}],
        ["alice and bob overlap", "start at 265536 or later"],
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_gets_one_sentence(case: str) -> None:
    users, words = MISTAKES[case]
    (sentence,) = problems(*users)
    assert all(word in sentence for word in words), sentence
    assert sentence.endswith((".", "?"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"userns-remap": "default"}, ["userns-remap cannot be set without root"]),
        ({"hosts": ["tcp://0.0.0.0:2375"]}, ["hosts cannot be set without root"]),
        ({"live-restore": True}, ["live-restore cannot work without root", "remove it"]),
        ({"storage-driver": "devicemapper"}, ["devicemapper needs root", "overlay2"]),
        ({"exec-opts": ["native.cgroupdriver=cgroupfs"]}, ["cgroupfs needs root"]),
        ({"data-root": "docker"}, ["data-root docker is not an absolute path"]),
        ({"log-driver": "jsonfile"}, ["did you mean 'json-file'?"]),
        ({"debugg": True}, ["did you mean 'debug'?"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_options_that_no_such_engine_can_have_are_refused_for_all_and_for_one(
    options: dict[str, Any], words: list[str]
) -> None:
    for found in (problems("alice", daemon_options=options), problems({"name": "alice", "daemon_options": options})):
        (sentence,) = found
        assert sentence.startswith("docker_rootless_users: alice: ")
        assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("options", [{"live-restore": False}, {"storage-driver": "vfs"}, {"data-root": "/data/alice"}])
def test_options_that_such_an_engine_can_have_are_accepted(options: dict[str, Any]) -> None:
    assert problems({"name": "alice", "daemon_options": options}) == []


@pytest.mark.parametrize("port", [-1, 65536, True, "80"])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    (sentence,) = problems("alice", port_start=port)
    assert "not a port" in sentence


def test_values_of_other_types_are_refused() -> None:
    assert "not a list" in settings.problems({"users": {"alice": {}}, "daemon_options": {}, "port_start": None})[0]
    assert "not a mapping" in problems("alice", daemon_options=["debug"])[0]


def test_logs_are_bounded_unless_the_user_chooses_a_log_driver() -> None:
    (entry,) = settings.entries([{"name": "alice", "daemon_options": {"debug": False}}])
    assert settings.options_of(entry, {"debug": True, "mtu": 1400}) == {
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        "debug": False,
        "mtu": 1400,
    }
    assert settings.options_of(entry, {"log-driver": "journald"}) == {"log-driver": "journald", "debug": False}
