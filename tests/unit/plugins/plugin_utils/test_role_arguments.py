# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A variable of a role means what Ansible's validation takes it for; the texts are those of -e and INI inventories."""

import datetime
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import BOOLEANS
from ansible_collections.slipway.platform.plugins.plugin_utils.role_arguments import typed
from hypothesis import given
from hypothesis import strategies as st

VALIDATION = ArgumentSpecValidator(
    {
        "docker_engine_purge_data": {"type": "bool"},
        "docker_engine_daemon_options": {"type": "dict"},
        "docker_access_members": {"type": "list", "elements": "str"},
        "ami_publish_prune_keep": {"type": "int"},
    }
)


@pytest.mark.parametrize("spelling", [*sorted(BOOLEANS, key=repr), " True ", "YES", "oFF"], ids=repr)
def test_a_boolean_is_what_the_validation_takes_it_for(spelling: Any) -> None:
    parameters = VALIDATION.validate({"docker_engine_purge_data": spelling}).validated_parameters
    assert typed(spelling, "docker_engine_purge_data") is parameters["docker_engine_purge_data"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("alice", ["alice"]),
        ("alice,bob", ["alice", "bob"]),
        (" alice, bob ", ["alice", "bob"]),
        ('["alice", "bob"]', ["alice", "bob"]),
        ("['alice', 'bob']", ["alice", "bob"]),
        ("[alice, bob]", ["alice", "bob"]),
        ("[1.10]", ["1.10"]),
        ("[]", []),
        ("", []),
        ("[::1]:5432", ["[::1]:5432"]),
        ("[::1]:5432,[::2]:5432", ["[::1]:5432", "[::2]:5432"]),
        (["alice", 1000, None], ["alice", "1000", ""]),
        (1000, ["1000"]),
        ([], []),
    ],
)
def test_a_list_is_separated_by_commas_or_is_yaml(text: Any, value: list[str]) -> None:
    assert typed(text, "docker_access_members") == value


@pytest.mark.parametrize(
    "text", ['{"debug": true, "mtu": 1500}', "{'debug': True, 'mtu': 1500}", {"debug": True, "mtu": 1500}]
)
def test_a_dictionary_is_json_or_python(text: Any) -> None:
    assert typed(text, "docker_engine_daemon_options") == {"debug": True, "mtu": 1500}


def test_options_of_dictionaries_and_elements_of_lists_are_converted() -> None:
    assert typed({"schedule": "weekly", "volumes": "false", "filters": "a,b"}, "docker_engine_prune") == {
        "schedule": "weekly",
        "volumes": False,
        "filters": ["a", "b"],
    }
    alarm = {"metric": "disk_used_percent", "above": "85", "periods": "3", "actions": "arn:x"}
    assert typed([alarm], "host_metrics_alarms") == [
        {"metric": "disk_used_percent", "above": 85.0, "periods": 3, "actions": ["arn:x"]}
    ]


def test_a_number_as_an_image_s_tag_is_left_for_the_module_to_refuse() -> None:
    """Of tags: [0777, 1.10], the filter would make 511 and 1.1, which docker_images would accept."""
    assert typed([{"name": "a", "tags": [0o777, 1.10]}], "docker_images_list") == [{"name": "a", "tags": [511, 1.1]}]
    assert typed([{"name": "a", "tags": "1.10,b"}], "docker_images_list") == [{"name": "a", "tags": ["1.10", "b"]}]


def test_a_date_is_the_text_that_was_written() -> None:
    """ansible-core 2.16 would make one text of a dictionary with a date."""
    cloud_config = {"users": [{"name": "ops", "expiredate": datetime.date(2032, 9, 1)}]}
    assert typed(cloud_config, "user_data_cloud_config") == {"users": [{"name": "ops", "expiredate": "2032-09-01"}]}
    with pytest.raises(TypeError, match=r"user_data_cloud_config cannot be used: .* quote it"):
        typed({"at": datetime.datetime(2032, 9, 1, tzinfo=datetime.UTC)}, "user_data_cloud_config")


def test_what_is_not_set_stays_not_set() -> None:
    assert typed(None, "docker_access_group_gid") is None
    assert typed({"schedule": "weekly", "volumes": None}, "docker_engine_prune")["volumes"] is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("perhaps", "docker_engine_purge_data"),
        ("nonsense", "docker_engine_proxy"),
        (7, "ami_fleet_tags"),
        ("Infinity", "docker_engine_start_timeout"),
        (float("inf"), "docker_engine_start_timeout"),
    ],
)
def test_what_has_no_such_type_is_refused_by_the_variable_s_name(value: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} cannot be used: "):
        typed(value, name)


def test_an_unknown_variable_is_a_mistake_of_the_role() -> None:
    with pytest.raises(KeyError, match="docker_engine_nonsense"):
        typed("x", "docker_engine_nonsense")


@given(st.text(max_size=30) | st.lists(st.text(max_size=5), max_size=3) | st.integers() | st.booleans())
def test_any_value_is_converted_or_refused_in_one_sentence(value: Any) -> None:
    """Whatever the validation accepts is converted; nothing else than a TypeError is raised."""
    for name in VALIDATION.argument_spec:
        try:
            typed(value, name)
        except TypeError as error:
            assert refuses(name, value), (value, error)


def refuses(name: str, value: Any) -> bool:
    try:
        return bool(VALIDATION.validate({name: value}).error_messages)
    except OverflowError:  # ansible-core's own words for an infinite integer
        return True
