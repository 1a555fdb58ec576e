# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decide whether a fleet may lose an instance on purpose."""

import re

from ansible_collections.slipway.platform.plugins.plugin_utils import setting_types

INSTANCE = re.compile(r"\Ai-[0-9a-f]{8,17}\Z")
NUMBERS = ("min_healthy", "timeout")
ACTIVE = ("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress")
# Processes without which a group does not replace what it loses.
NEEDED = ("Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy")


def problems(request):
    """Return one sentence for each invalid setting."""
    found = setting_types.problems(request, "fleet_drill_{}", texts=("group", "region", "instance"), numbers=NUMBERS)
    if found:
        return found
    numbers = {name: setting_types.number(request[name]) for name in NUMBERS}
    found = [
        f"fleet_drill_{name} is empty: set it, or ami_fleet_{variable}"
        for name, variable in (("group", "name"), ("region", "region"))
        if not request[name]
    ]
    if request["instance"] and not INSTANCE.match(request["instance"]):
        found.append(
            f"fleet_drill_instance '{request['instance']}' is malformed: use an ID such as i-0123456789abcdef0"
        )
    if numbers["min_healthy"] < 0:
        found.append(f"fleet_drill_min_healthy {numbers['min_healthy']} is invalid: set a number of instances, or 0")
    if numbers["timeout"] < 1:
        found.append(f"fleet_drill_timeout {numbers['timeout']} is invalid: set minutes, at least 1")
    return found


def healthy(group):
    """Return the group's healthy instances in service."""
    return [
        member
        for member in group.get("instances", [])
        if member["lifecycle_state"] == "InService" and member["health_status"].lower() == "healthy"
    ]


def state_problems(request, group, refreshes):
    """Return one sentence for the first reason not to terminate the instance.

    group: as amazon.aws.autoscaling_group_info returns it, {} if there is none.
    """
    name, instance = request["group"], request["instance"]
    if not group:
        return [f"Auto Scaling group {name} does not exist in {request['region']}: check fleet_drill_group"]
    serving = healthy(group)
    listed = ", ".join(f"{member['instance_id']} ({member['availability_zone']})" for member in serving)
    if len(serving) < 2:
        return [
            f"group {name} has {len(serving)} healthy instances, and a drill never ends the last one: raise its "
            f"desired capacity to 2 or more{_command(request, 2)}"
        ]
    if len(serving) < group["desired_capacity"]:
        return [
            f"group {name} has {len(serving)} of {group['desired_capacity']} instances in service: start the drill "
            "when it is whole"
        ]
    suspended = [
        item["process_name"] for item in group.get("suspended_processes", []) if item["process_name"] in NEEDED
    ]
    if suspended:
        return [
            f"group {name} would not replace an instance, since its process {suspended[0]} is suspended: run 'aws "
            f"autoscaling resume-processes --region {request['region']} --auto-scaling-group-name {name}'"
        ]
    if any(refresh["status"] in ACTIVE for refresh in refreshes):
        return [f"group {name} has an instance refresh in progress: start the drill when it has ended"]
    least = max(setting_types.number(request["min_healthy"]) or group["min_size"], 1)
    if len(serving) - 1 < least:
        return [
            f"group {name} has {len(serving)} healthy instances and must keep {least}: raise its desired capacity"
            f"{_command(request, least + 1)}, or lower fleet_drill_min_healthy"
        ]
    if not instance:
        return [f"fleet_drill_instance is empty: choose one of {listed}"]
    if instance not in [member["instance_id"] for member in serving]:
        return [f"{instance} is not a healthy instance of group {name}: choose one of {listed}"]
    return []


def _command(request, count):
    return (
        f" with 'aws autoscaling set-desired-capacity --region {request['region']} --auto-scaling-group-name "
        f"{request['group']} --desired-capacity {count}'"
    )


def is_whole(group, lost):
    """Return whether the group has as many healthy instances as it wants, without the lost one."""
    serving = {member["instance_id"] for member in healthy(group)}
    return lost not in serving and len(serving) >= group.get("desired_capacity", 0)
