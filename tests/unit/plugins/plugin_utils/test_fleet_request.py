# SPDX-License-Identifier: Apache-2.0
"""Invalid fleet settings that the test of the playbook does not cover."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_request
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD: dict[str, Any] = {
    "name": "docker-web",
    "region": "eu-central-1",
    "parameter": "/slipway/ami/docker-el9",
    "image_owners": ["self", "111122223333"],
    "profile": "",
    "root_size": 20,
    "subnets": ["subnet-0123456789abcdef0"],
    "security_groups": ["sg-0123456789abcdef0"],
    "target_groups": ["arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123456789abcdef"],
    "health_check": "ELB",
    "min_size": 0,
    "max_size": 0,
    "min_healthy": 100,
    "max_healthy": 200,
    "tags": {"Team": "platform"},
    "user_data_file": "",
    "user_data": "",
    "single_zone_confirmed": False,
    "security_group_managed": False,
    "ingress": [],
    "egress": [],
    "scaling_policies": [],
    "schedules": [],
    "instance_types": [],
    "on_demand_base": 0,
    "on_demand_percent": 100,
}


def test_valid_settings_have_no_problem() -> None:
    assert fleet_request.problems(GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"region": ""}, "ami_fleet_region is empty"),
        ({"parameter": "/slipway/ami/docker-el9:3"}, "is not an SSM parameter path"),
        ({"image_owners": []}, "ami_fleet_image_owners is empty"),
        ({"image_owners": ["11112222333"]}, "'11112222333' in ami_fleet_image_owners is not an AWS account ID"),
        ({"subnets": ["subnet-1"]}, "'subnet-1' in ami_fleet_subnets is malformed"),
        ({"security_groups": []}, "ami_fleet_security_groups is empty"),
        ({"target_groups": ["web"]}, "'web' in ami_fleet_target_groups is not a target group ARN"),
        ({"tags": {"cost centre": "7"}}, "ami_fleet_tags has 'cost centre'"),
        ({"min_healthy": 101}, "ami_fleet_min_healthy 101 and ami_fleet_max_healthy 200 are invalid"),
        ({"max_healthy": 99}, "from 100 to 200"),
        ({"min_healthy": 50, "max_healthy": 151}, "at most 100 apart"),
        ({"user_data_file": "web.yml", "user_data": None}, "ami_fleet_user_data_file web.yml does not exist"),
        ({"user_data_file": "web.yml", "user_data": "\u00e9" * 8193}, "has 16386 bytes"),
        (
            {"user_data_file": "web.yml", "user_data": "#!/bin/sh\nX_PASSWORD=kept\n"},
            "X_PASSWORD on line 2, where anyone",
        ),
        (
            {"tags": {f"t{n}": "" for n in range(50)}},
            "ami_fleet_tags has 50 tags, but AWS accepts 50, 1 of which this role",
        ),
        ({"tags": {"Team": "x" * 257}}, "ami_fleet_tags Team has 257 characters, but AWS accepts at most 256"),
        ({"tags": {"x" * 129: ""}}, "ami_fleet_tags has a key of 129 characters, but AWS accepts 1 to 128"),
        ({"tags": {7: "x"}}, "the key 7 of ami_fleet_tags is the number"),
        ({"tags": {"Team": None}}, "ami_fleet_tags Team is empty: set it, or remove it"),
        ({"image_owners": [11112222333]}, "entry 1 of ami_fleet_image_owners is the number"),
        ({"subnets": [None]}, "entry 1 of ami_fleet_subnets is empty"),
        ({"min_size": "few"}, "ami_fleet_min_size is not a whole number"),
        ({"name": 7}, "ami_fleet_name is the number"),
    ],
)
def test_each_problem_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = fleet_request.problems(GOOD | wrong)
    assert sentence in problem


def test_what_loses_nothing_is_accepted() -> None:
    good = GOOD | {"image_owners": ["111122223333"], "min_size": "0", "tags": {f"t{n}": "x" * 256 for n in range(49)}}
    assert fleet_request.problems(good) == []
    assert fleet_request.problems(good | {"tags": {"Name": "x", **good["tags"]}}) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text() | st.integers() | st.none(), below, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(GOOD) - {"user_data"})), ANYTHING))
def test_any_settings_are_accepted_or_reported(differing: dict[str, Any]) -> None:
    for sentence in fleet_request.problems(GOOD | differing):
        assert sentence
