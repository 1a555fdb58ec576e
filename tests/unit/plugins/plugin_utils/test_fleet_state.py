# SPDX-License-Identifier: Apache-2.0
"""Missing prerequisites, drift and stale instances of a fleet."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_state

IMAGE = "ami-0123456789abcdef0"
REQUEST = {
    "region": "eu-central-1",
    "parameter": "/ami",
    "profile": "",
    "root_size": 20,
    "subnets": [],
    "security_groups": [],
    "single_zone_confirmed": False,
    "security_group_managed": False,
}
DISKS = [{"device_name": name, "ebs": {"volume_size": size}} for name, size in (("/dev/sdb", 99), ("/dev/sda1", 21))]
CENTOS = {"image_id": IMAGE, "state": "available", "root_device_name": "/dev/sda1", "block_device_mappings": DISKS}
WANTED = {
    "min_size": 2,
    "subnets": ["subnet-a", "subnet-b"],
    "target_groups": [],
    "tags": {"Name": "web"},
    "version": "7",
}
GROUP = {
    "min_size": 2,
    "vpc_zone_identifier": "subnet-b,subnet-a",
    "target_group_arns": [],
    "tags": [{"key": "Name", "value": "web", "propagate_at_launch": True}],
    "launch_template": {"version": "7"},
}


@pytest.mark.parametrize(
    ("image", "found", "sentence"),
    [
        ("hello", [], "is 'hello', which is either not an image that this account may launch"),
        (IMAGE, [], f"is '{IMAGE}', which is either not an image that this account may launch"),
        (IMAGE, [{"state": "pending"}], f"image {IMAGE}, named by parameter /ami, is in state pending"),
        (IMAGE, [CENTOS], f"ami_fleet_root_size is 20, but /dev/sda1 of image {IMAGE} has 21 GiB"),
    ],
)
def test_an_image_that_cannot_be_launched_is_one_sentence(image: str, found: list[Any], sentence: str) -> None:
    state = {"image": image, "images": found, "profiles": [], "subnets": [], "security_groups": [], "own_groups": []}
    (problem,) = fleet_state.problems(REQUEST, state)
    assert sentence in problem


def test_a_root_volume_as_large_as_the_image_is_enough() -> None:
    state = {"image": IMAGE, "images": [CENTOS], "profiles": [], "subnets": [], "security_groups": [], "own_groups": []}
    assert fleet_state.problems(REQUEST | {"root_size": 21}, state) == []


def test_the_order_of_subnets_is_not_drift() -> None:
    assert fleet_state.drift(GROUP, WANTED) == []


def test_drift_of_types_and_their_shares_is_named_wherever_the_group_has_its_template() -> None:
    specification = {"launch_template_name": "web", "version": "7"}
    template = {"launch_template_specification": specification, "overrides": [{"instance_type": "m6i.large"}]}
    shares = {"on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 0}
    policy = {"launch_template": template, "instances_distribution": shares}
    group = {name: value for name, value in GROUP.items() if name != "launch_template"}
    mixed = group | {"mixed_instances_policy": policy}
    assert fleet_state.drift(mixed, WANTED | {"instance_types": ["m6i.large"], "on_demand": [1, 0]}) == []
    assert fleet_state.drift(mixed, WANTED | {"instance_types": [], "on_demand": [0, 100]}) == [
        "instance_types",
        "on_demand",
    ]
    assert fleet_state.drift(GROUP, WANTED | {"instance_types": [], "on_demand": [0, 100]}) == []


@pytest.mark.parametrize(
    ("present", "differs"),
    [
        ({}, list(WANTED)[:2] + list(WANTED)[3:]),
        (GROUP | {"min_size": 1}, ["min_size"]),
        (GROUP | {"vpc_zone_identifier": "subnet-a"}, ["subnets"]),
        (GROUP | {"target_group_arns": ["arn"]}, ["target_groups"]),
        (GROUP | {"tags": []}, ["tags"]),
        (GROUP | {"launch_template": {"version": "6"}}, ["version"]),
    ],
)
def test_drift_is_named(present: dict[str, Any], differs: list[str]) -> None:
    assert fleet_state.drift(present, WANTED) == differs


@pytest.mark.parametrize(
    ("member", "image", "is_stale"),
    [
        ({"launch_template": {"version": "7"}}, IMAGE, False),
        ({"launch_template": {"version": "6"}}, IMAGE, True),
        ({"launch_template": {"version": "7"}}, "ami-00000000", True),
        ({"launch_config_name": "web"}, IMAGE, True),
        ({"launch_template": {"version": "6"}, "lifecycle_state": "Terminating:Wait"}, IMAGE, False),
    ],
)
def test_instances_with_another_template_version_or_image_are_stale(
    member: dict[str, Any], image: str, is_stale: bool
) -> None:
    group = {"instances": [{"instance_id": "i-1", "lifecycle_state": "InService", **member}]}
    found = fleet_state.stale(group, [{"instance_id": "i-1", "image_id": image}], "7", IMAGE)
    assert found == (["i-1"] if is_stale else [])
