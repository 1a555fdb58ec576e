# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a wish for a fleet, where the playbook's own test does not say it."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import fleet_request

GOOD = {
    "name": "docker-web",
    "region": "eu-central-1",
    "parameter": "/slipway/ami/docker-el9",
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
}


def test_a_good_wish_has_no_problem() -> None:
    assert fleet_request.problems(GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"region": ""}, "ami_fleet_region is missing"),
        ({"parameter": "/slipway/ami/docker-el9:3"}, "is no parameter's path"),
        ({"subnets": ["subnet-1"]}, "'subnet-1' in ami_fleet_subnets is malformed"),
        ({"security_groups": []}, "ami_fleet_security_groups is empty"),
        ({"target_groups": ["web"]}, "'web' in ami_fleet_target_groups is no ARN"),
        ({"tags": {"cost centre": "7"}}, "ami_fleet_tags has 'cost centre'"),
        ({"min_healthy": 101}, "ami_fleet_min_healthy 101 and ami_fleet_max_healthy 200 are refused by AWS"),
        ({"max_healthy": 99}, "from 100 to 200"),
        ({"min_healthy": 50, "max_healthy": 151}, "at most 100 apart"),
        ({"user_data_file": "web.yml", "user_data": None}, "ami_fleet_user_data_file web.yml does not exist"),
        ({"user_data_file": "web.yml", "user_data": "\u00e9" * 8193}, "has 16386 bytes"),
    ],
)
def test_each_fault_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = fleet_request.problems(GOOD | wrong)
    assert sentence in problem
