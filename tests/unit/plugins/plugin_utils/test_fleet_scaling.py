# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_scaling
from hypothesis import given, settings
from hypothesis import strategies as st

TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123456789abcdef"
REQUEST: dict[str, Any] = {
    "scaling_policies": [],
    "schedules": [],
    "instance_types": [],
    "on_demand_base": 0,
    "on_demand_percent": 100,
    "target_groups": [TARGET_GROUP],
    "min_size": 1,
    "max_size": 4,
}
CPU = {"name": "cpu", "metric": "cpu", "target": 60}
MEMORY = {"name": "memory", "metric": "memory", "target": "70.5", "scale_in": False}
REQUESTS = {"name": "requests", "metric": "requests", "target": 1000, "load_balancer": "app/web/0123456789abcdef"}
QUEUE = {
    "name": "queue",
    "metric": "Waiting",
    "namespace": "Shop",
    "dimensions": {"Queue": "orders"},
    "above": 100,
    "periods": 2,
    "steps": [{"from": 0, "add": 1}, {"from": 50, "add": 3}],
}
IDLE = {"name": "idle", "metric": "cpu", "below": 10, "steps": [{"from": 0, "add": -1}, {"from": 5, "add": -2}]}
MORNING = {"name": "morning", "cron": "0 7 * * 1-5", "time_zone": "Europe/Berlin", "desired": 2}


def test_valid_settings_have_no_problem() -> None:
    good = {"scaling_policies": [CPU, MEMORY, REQUESTS, QUEUE, IDLE], "schedules": [MORNING], "on_demand_percent": 0}
    assert fleet_scaling.problems(REQUEST | good | {"instance_types": ["m6a.large", "m5.large"]}) == []
    absent = {"scaling_policies": [{"name": "cpu", "state": "absent"}], "schedules": [{"name": "x", "state": "absent"}]}
    assert fleet_scaling.problems(REQUEST | absent) == []


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (["cpu"], "entry 1 of ami_fleet_scaling_policies is not a mapping"),
        (CPU | {"cooldown": 5}, "has the unknown key 'cooldown'"),
        (CPU | {"name": "my cpu"}, "has no valid name"),
        (CPU | {"state": "off"}, "has an invalid state"),
        (CPU | {"target": None}, "needs exactly one of target, above and below"),
        (CPU | {"above": 90}, "needs exactly one of target, above and below"),
        (CPU | {"target": 0}, "has an invalid target: set a number above 0"),
        (CPU | {"target": "much"}, "has an invalid target"),
        (CPU | {"metric": ""}, "has no metric"),
        (CPU | {"metric": "Waiting"}, "follows Waiting, whose namespace is missing"),
        (CPU | {"dimensions": {"Queue": 1}}, "has invalid dimensions"),
        (CPU | {"statistic": "p99"}, "has an invalid statistic"),
        (CPU | {"steps": QUEUE["steps"]}, "has both target and steps"),
        (REQUESTS | {"load_balancer": "web"}, "needs load_balancer"),
        (QUEUE | {"steps": []}, "needs steps"),
        (QUEUE | {"steps": [{"from": 0, "add": 0}]}, "needs steps"),
        (QUEUE | {"steps": [{"from": 5, "add": 1}]}, "has steps out of order"),
        (QUEUE | {"steps": [{"from": 0, "add": 1}, {"from": 0, "add": 2}]}, "has steps out of order"),
        (QUEUE | {"periods": 0}, "has invalid periods"),
    ],
)
def test_each_invalid_policy_is_one_sentence(policy: Any, sentence: str) -> None:
    (problem,) = fleet_scaling.problems(REQUEST | {"scaling_policies": [policy]})
    assert sentence in problem


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        (MORNING | {"time_zone": ""}, "schedule morning has no time_zone"),
        ({key: value for key, value in MORNING.items() if key != "time_zone"}, "has no time_zone"),
        (MORNING | {"time_zone": "Mars/Olympus"}, "has the unknown time_zone 'Mars/Olympus'"),
        (MORNING | {"cron": "0 7 * *"}, "has no valid cron"),
        (MORNING | {"desired": None}, "changes nothing"),
        (MORNING | {"desired": "few"}, "has a size that is not a whole number"),
        (MORNING | {"min_size": -1}, "has a size that is not a whole number"),
        (MORNING | {"desired": 0}, "would set a minimum of 1, a desired capacity of 0 and a maximum of 4"),
        (MORNING | {"min_size": 3, "max_size": 2}, "would set a minimum of 3, a desired capacity of 2 and a maximum"),
    ],
)
def test_each_invalid_schedule_is_one_sentence(schedule: dict[str, Any], sentence: str) -> None:
    (problem,) = fleet_scaling.problems(REQUEST | {"schedules": [schedule]})
    assert sentence in problem


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"on_demand_percent": 0}, "asks for Spot instances of too few types"),
        ({"on_demand_percent": 0, "instance_types": ["m5.large", "m5.large"]}, "of too few types"),
        ({"on_demand_percent": 101}, "ami_fleet_on_demand_percent 101 are invalid"),
        ({"on_demand_base": -1}, "ami_fleet_on_demand_base -1"),
        ({"instance_types": ["large"]}, "'large' in ami_fleet_instance_types is not an instance type"),
        ({"scaling_policies": [CPU, CPU]}, "entry 2 of ami_fleet_scaling_policies has the name cpu of another one"),
        ({"scaling_policies": [REQUESTS], "target_groups": []}, "needs exactly one entry in ami_fleet_target_groups"),
        ({"schedules": "nightly"}, "ami_fleet_schedules is not a list"),
    ],
)
def test_each_other_problem_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = fleet_scaling.problems(REQUEST | wrong)
    assert sentence in problem


def written(*policies: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet_scaling.policies(policies, "web", "eu-central-1", [TARGET_GROUP], "300")
    return found


def test_a_target_follows_its_metric() -> None:
    cpu, memory, requests = (entry["policy"] for entry in written(CPU, MEMORY, REQUESTS))
    assert cpu == {
        "name": "web cpu",
        "asg_name": "web",
        "region": "eu-central-1",
        "estimated_instance_warmup": 300,
        "policy_type": "TargetTrackingScaling",
        "target_tracking_config": {
            "target_value": 60.0,
            "disable_scalein": False,
            "predefined_metric_spec": {"predefined_metric_type": "ASGAverageCPUUtilization"},
        },
    }
    config = memory["target_tracking_config"]
    assert (config["target_value"], config["disable_scalein"]) == (70.5, True)
    assert config["customized_metric_spec"] == {
        "namespace": "CWAgent",
        "metric_name": "mem_used_percent",
        "dimensions": [{"Name": "AutoScalingGroupName", "Value": "web"}],
        "statistic": "Average",
    }
    specification = requests["target_tracking_config"]["predefined_metric_spec"]
    assert specification["resource_label"] == "app/web/0123456789abcdef/targetgroup/web/0123456789abcdef"


def test_steps_reach_from_the_limit_away_from_it() -> None:
    queue, idle = written(QUEUE, IDLE)
    assert queue["policy"]["step_adjustments"] == [
        {"scaling_adjustment": 1, "upper_bound": 50},
        {"scaling_adjustment": 3, "lower_bound": 50},
    ]
    assert queue["alarm"]["comparison"] == "GreaterThanOrEqualToThreshold"
    assert (queue["alarm"]["threshold"], queue["alarm"]["evaluation_periods"]) == (100.0, 2)
    assert queue["alarm"]["dimensions"] == {"Queue": "orders"}
    assert idle["policy"]["step_adjustments"] == [
        {"scaling_adjustment": -1, "lower_bound": -5},
        {"scaling_adjustment": -2, "upper_bound": -5},
    ]
    assert idle["alarm"]["comparison"] == "LessThanOrEqualToThreshold"
    assert idle["alarm"]["dimensions"] == {"AutoScalingGroupName": "web"}


def test_an_absent_policy_is_deleted_with_its_alarm() -> None:
    (gone,) = written({"name": "cpu", "state": "absent"})
    assert gone["policy"]["state"] == gone["alarm"]["state"] == "absent"
    assert gone["policy"]["name"] == gone["alarm"]["name"] == "web cpu"


def test_a_metric_must_be_published_unless_aws_does_or_the_fleet_cannot_yet() -> None:
    policies = [CPU, MEMORY, REQUESTS, QUEUE, IDLE, {"name": "old", "state": "absent"}]
    assert [metric["name"] for metric in fleet_scaling.metrics(policies, "web", serving=True)] == [
        "mem_used_percent",
        "Waiting",
    ]
    (queue,) = fleet_scaling.metrics(policies, "web", serving=False)
    (problem,) = fleet_scaling.missing_problems([queue], "eu-central-1")
    assert "nobody has published Shop Waiting by Queue orders in eu-central-1 for two weeks" in problem


@pytest.mark.parametrize(("least", "size"), [(None, 2), (0, 0), (1, 2), (2, 2)])
def test_a_size_that_a_schedule_has_set_stays(least: int | None, size: int) -> None:
    present = {"min_size": least} if least is not None else {}
    schedules = [{"name": "night", "min_size": "0"}, {"name": "old", "min_size": 1, "state": "absent"}, MORNING]
    assert fleet_scaling.size(present, schedules, "min_size", 2) == size


ANY_KEY = st.sampled_from([*fleet_scaling.POLICY_KEYS, *fleet_scaling.SCHEDULE_KEYS])
ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()) | st.just({"from": 0, "add": 1})


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(ANY_KEY, ANYTHING))
def test_any_entry_is_accepted_or_reported(differing: dict[str, Any]) -> None:
    for entry in (CPU | differing, QUEUE | differing, MORNING | differing):
        for sentence in fleet_scaling.problems(REQUEST | {"scaling_policies": [entry], "schedules": [entry]}):
            assert sentence
