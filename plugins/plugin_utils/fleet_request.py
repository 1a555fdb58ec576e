# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the settings of a fleet without calling AWS, including what AWS would accept but should not."""

import re

from ansible_collections.slipway.platform.plugins.plugin_utils import (
    aws_tags,
    fleet_scaling,
    fleet_spread,
    setting_types,
    user_data,
)

NAME = re.compile(r"\A[A-Za-z0-9()./_-]{3,128}\Z")
PARAMETER = re.compile(r"\A(?:/[A-Za-z0-9_.-]+)+\Z")
SUBNET = re.compile(r"\Asubnet-[0-9a-f]{8,17}\Z")
SECURITY_GROUP = re.compile(r"\Asg-[0-9a-f]{8,17}\Z")
TARGET_GROUP = re.compile(r"\Aarn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/.+\Z")
OWNER = re.compile(r"\A(?:self|[0-9]{12})\Z")
# Tag keys that instance metadata can hold.
TAG = re.compile(r"\A[A-Za-z0-9+=.,_:@-]{1,128}\Z")
NUMBERS = (
    *("min_size", "max_size", "root_size", "min_healthy", "max_healthy"),
    *("on_demand_base", "on_demand_percent"),
)


def problems(request):
    """Return one sentence for each invalid setting."""
    variables = dict(
        request,
        instance_profile=request.get("profile"),
    )
    found = setting_types.problems(
        variables,
        "ami_fleet_{}",
        texts=("name", "region", "parameter", "health_check", "instance_profile", "user_data_file"),
        numbers=NUMBERS,
        lists=("image_owners", "subnets", "security_groups", "target_groups", "instance_types"),
        mappings=("tags",),
    )
    if found:
        return found
    request = dict(variables, **{name: setting_types.number(request[name]) for name in NUMBERS})
    return [
        *_name_problems(request),
        *_network_problems(request),
        *_size_problems(request),
        *fleet_spread.problems(request),
        *fleet_scaling.problems(request),
        *_tag_problems(request),
        *_user_data_problems(request["user_data_file"], request["user_data"]),
    ]


def _name_problems(request):
    if not NAME.match(request["name"]):
        yield (
            f"ami_fleet_name '{request['name']}' is not a valid launch template name: use 3 to 128 letters, digits and "
            "()./_-, for example docker-web"
        )
    if not request["region"]:
        yield "ami_fleet_region is empty: set it to the region of the fleet, for example eu-central-1"
    if not PARAMETER.match(request["parameter"]):
        yield (
            f"ami_fleet_parameter '{request['parameter']}' is not an SSM parameter path: set it to the "
            "ami_publish_parameter of the image, for example /slipway/ami/docker-el9"
        )
    if not request["image_owners"]:
        yield "ami_fleet_image_owners is empty, so images of any account would be accepted: list accounts or [self]"
    for owner in request["image_owners"]:
        if not OWNER.match(owner):
            yield (
                f"'{owner}' in ami_fleet_image_owners is not an AWS account ID: write its 12 digits in quotes, or self"
            )


def _network_problems(request):
    for variable, pattern, example in (
        ("subnets", SUBNET, "subnet-0123456789abcdef0"),
        ("security_groups", SECURITY_GROUP, "sg-0123456789abcdef0"),
    ):
        if not request[variable] and not (variable == "security_groups" and request["security_group_managed"]):
            yield f"ami_fleet_{variable} is empty: list at least one, for example {example}"
        for value in request[variable]:
            if not pattern.match(value):
                yield f"'{value}' in ami_fleet_{variable} is malformed: use an ID such as {example}"
    for value in request["target_groups"]:
        if not TARGET_GROUP.match(value):
            yield (
                f"'{value}' in ami_fleet_target_groups is not a target group ARN: list the ARNs with 'aws elbv2 "
                "describe-target-groups'"
            )
    if request["health_check"] == "ELB" and not request["target_groups"]:
        yield "ami_fleet_health_check is ELB, but ami_fleet_target_groups is empty: add target groups or set EC2"


def _size_problems(request):
    least, most = request["min_size"], request["max_size"]
    if not 0 <= least <= most:
        yield (
            f"ami_fleet_min_size {least} and ami_fleet_max_size {most} are invalid: set a minimum of at least 0 and a "
            "maximum of at least the minimum"
        )
    low, high = request["min_healthy"], request["max_healthy"]
    if not (0 <= low <= 100 <= high <= 200 and high - low <= 100):
        yield (
            f"ami_fleet_min_healthy {low} and ami_fleet_max_healthy {high} are invalid: set percentages from 0 to 100 "
            "and from 100 to 200, at most 100 apart"
        )


def _tag_problems(request):
    for key in request["tags"]:
        if key.lower().startswith("aws:"):
            yield f"ami_fleet_tags has {key}, but the prefix aws: is reserved: rename the tag"
        elif len(key) <= aws_tags.LONGEST_KEY and (not TAG.match(key) or key in (".", "..", "_index")):
            yield (
                f"ami_fleet_tags has '{key}', which instance metadata cannot hold: use up to 128 letters, digits and "
                "+=.,_:@-"
            )
    yield from aws_tags.problems("ami_fleet_tags", request["tags"], 0 if "Name" in request["tags"] else 1)


def _user_data_problems(path, text):
    if text is None:
        return [f"ami_fleet_user_data_file {path} does not exist: create it or correct the path"]
    return user_data.file_problems(f"ami_fleet_user_data_file {path}", text)
