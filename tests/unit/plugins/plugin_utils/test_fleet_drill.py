# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_drill
from hypothesis import given, settings
from hypothesis import strategies as st

FIRST, SECOND, THIRD = (f"i-0123456789abcde{number}" for number in range(3))
REQUEST: dict[str, Any] = {
    "group": "web",
    "region": "eu-central-1",
    "instance": FIRST,
    "min_healthy": 0,
    "timeout": 30,
}


def member(instance: str, state: str = "InService", health: str = "Healthy") -> dict[str, Any]:
    return {
        "instance_id": instance,
        "availability_zone": "eu-central-1a",
        "lifecycle_state": state,
        "health_status": health,
    }


def group(*members: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"min_size": 2, "desired_capacity": len(members), "instances": list(members), **others}


WHOLE = group(member(FIRST), member(SECOND), member(THIRD))


def test_a_group_that_can_do_without_the_instance_may_lose_it() -> None:
    assert fleet_drill.problems(REQUEST) == []
    assert fleet_drill.state_problems(REQUEST, WHOLE, [{"status": "Successful"}]) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"group": ""}, "fleet_drill_group is empty: set it, or ami_fleet_name"),
        ({"region": ""}, "fleet_drill_region is empty: set it, or ami_fleet_region"),
        ({"instance": "web-1"}, "fleet_drill_instance 'web-1' is malformed"),
        ({"min_healthy": -1}, "fleet_drill_min_healthy -1 is invalid"),
        ({"timeout": 0}, "fleet_drill_timeout 0 is invalid"),
        ({"timeout": "soon"}, "fleet_drill_timeout is not a whole number"),
    ],
)
def test_each_invalid_setting_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = fleet_drill.problems(REQUEST | wrong)
    assert sentence in problem


@pytest.mark.parametrize(
    ("present", "wrong", "sentence"),
    [
        ({}, {}, "Auto Scaling group web does not exist in eu-central-1"),
        (group(member(FIRST), min_size=1), {}, "has 1 healthy instances, and a drill never ends the last one"),
        (group(member(FIRST), min_size=0), {"min_healthy": 1}, "a drill never ends the last one"),
        (WHOLE | {"desired_capacity": 4}, {}, "has 3 of 4 instances in service"),
        (
            group(member(FIRST), member(SECOND), member(THIRD, health="Unhealthy")),
            {},
            "has 2 of 3 instances in service",
        ),
        (WHOLE | {"min_size": 3}, {}, "must keep 3: raise its desired capacity with 'aws autoscaling set-desired-"),
        (WHOLE, {"min_healthy": 3}, "must keep 3"),
        (WHOLE, {"instance": ""}, f"fleet_drill_instance is empty: choose one of {FIRST} (eu-central-1a), {SECOND}"),
        (WHOLE, {"instance": "i-00000000"}, "i-00000000 is not a healthy instance of group web"),
        (
            WHOLE | {"suspended_processes": [{"process_name": "AZRebalance"}, {"process_name": "Launch"}]},
            {},
            "since its process Launch is suspended: run 'aws autoscaling resume-processes",
        ),
    ],
)
def test_each_obstacle_is_one_sentence(present: dict[str, Any], wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = fleet_drill.state_problems(REQUEST | wrong, present, [])
    assert sentence in problem


def test_a_group_that_is_being_refreshed_is_left_alone() -> None:
    (problem,) = fleet_drill.state_problems(REQUEST, WHOLE, [{"status": "Successful"}, {"status": "InProgress"}])
    assert "has an instance refresh in progress" in problem


def test_fewer_than_the_minimum_may_remain_if_that_is_asked_for() -> None:
    assert fleet_drill.state_problems(REQUEST | {"min_healthy": "1"}, group(member(FIRST), member(SECOND)), []) == []


@pytest.mark.parametrize(
    ("members", "whole"),
    [
        ((member(SECOND), member(THIRD)), True),
        ((member(FIRST, "Terminating:Wait"), member(SECOND), member(THIRD)), True),
        ((member(FIRST), member(SECOND), member(THIRD)), False),
        ((member(SECOND), member(THIRD, "Pending")), False),
        ((member(SECOND), member(THIRD, health="Unhealthy")), False),
    ],
)
def test_a_group_is_whole_without_the_instance_once_others_serve(members: Any, whole: bool) -> None:
    assert fleet_drill.is_whole(group(*members, desired_capacity=2), FIRST) is whole


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(REQUEST)), st.none() | st.booleans() | st.integers() | st.text()))
def test_any_settings_are_accepted_or_reported(differing: dict[str, Any]) -> None:
    for sentence in fleet_drill.problems(REQUEST | differing):
        assert sentence
