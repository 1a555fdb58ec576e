# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows what AWS would refuse of a wish for a fleet, and what it would take and should not, before AWS is asked."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials

NAME = re.compile(r"\A[A-Za-z0-9()./_-]{3,128}\Z")
PARAMETER = re.compile(r"\A(?:/[A-Za-z0-9_.-]+)+\Z")
SUBNET = re.compile(r"\Asubnet-[0-9a-f]{8,17}\Z")
SECURITY_GROUP = re.compile(r"\Asg-[0-9a-f]{8,17}\Z")
TARGET_GROUP = re.compile(r"\Aarn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/.+\Z")
# Of a tag that instances find in their metadata.
TAG = re.compile(r"\A[A-Za-z0-9+=.,_:@-]{1,128}\Z")
LONGEST_USER_DATA = 16 << 10


def problems(request):
    """One sentence for each reason not to ask AWS at all."""
    return [
        *_name_problems(request),
        *_network_problems(request),
        *_size_problems(request),
        *_tag_problems(request),
        *_user_data_problems(request["user_data_file"], request["user_data"]),
    ]


def _name_problems(request):
    if not NAME.match(request["name"]):
        yield (
            f"ami_fleet_name '{request['name']}' is no name for a launch template: AWS takes 3 to 128 letters, digits "
            "and ()./_-, as in docker-web"
        )
    if not request["region"]:
        yield "ami_fleet_region is missing: say where the fleet is, as in eu-central-1"
    if not PARAMETER.match(request["parameter"]):
        yield (
            f"ami_fleet_parameter '{request['parameter']}' is no parameter's path: name the one that ami_publish "
            "writes, as in /slipway/ami/docker-el9"
        )


def _network_problems(request):
    for variable, pattern, example in (
        ("subnets", SUBNET, "subnet-0123456789abcdef0"),
        ("security_groups", SECURITY_GROUP, "sg-0123456789abcdef0"),
    ):
        if not request[variable]:
            yield f"ami_fleet_{variable} is empty: say where instances are, as in {example}"
        for value in request[variable]:
            if not pattern.match(value):
                yield f"'{value}' in ami_fleet_{variable} is malformed: write an id, as in {example}"
    for value in request["target_groups"]:
        if not TARGET_GROUP.match(value):
            yield (
                f"'{value}' in ami_fleet_target_groups is no ARN of a target group: 'aws elbv2 describe-target-groups' "
                "lists them"
            )
    if request["health_check"] == "ELB" and not request["target_groups"]:
        yield "ami_fleet_health_check is ELB, and ami_fleet_target_groups is empty: name those that tell, or say EC2"


def _size_problems(request):
    least, most = request["min_size"], request["max_size"]
    if not 0 <= least <= most:
        yield f"ami_fleet_min_size {least} and ami_fleet_max_size {most} allow no number of instances"
    low, high = request["min_healthy"], request["max_healthy"]
    if not (0 <= low <= 100 <= high <= 200 and high - low <= 100):
        yield (
            f"ami_fleet_min_healthy {low} and ami_fleet_max_healthy {high} are refused by AWS: write percentages from "
            "0 to 100 and from 100 to 200, at most 100 apart"
        )


def _tag_problems(request):
    for key in request["tags"]:
        if key.lower().startswith("aws:"):
            yield f"ami_fleet_tags has {key}, which is AWS' own: call it otherwise"
        elif not TAG.match(key) or key in (".", "..", "_index"):
            yield (
                f"ami_fleet_tags has '{key}', which no instance can have in its metadata: take letters, digits and "
                "+=.,_:@-"
            )


def _user_data_problems(path, text):
    if text is None:
        yield f"ami_fleet_user_data_file {path} does not exist"
        return
    data = text.encode()
    if len(data) > LONGEST_USER_DATA:
        yield f"ami_fleet_user_data_file {path} has {len(data)} bytes, and AWS takes {LONGEST_USER_DATA}: bake more"
    for what, start in credentials.matches(data, credentials.KINDS):
        line = data.count(b"\n", 0, start) + 1
        yield (
            f"ami_fleet_user_data_file {path} has {what} in line {line}, where whoever may describe the template "
            "can read it: keep it in Secrets Manager, and let the instance's role ask for it"
        )
