# SPDX-License-Identifier: Apache-2.0
"""Auto Scaling features that moto 5.2 lacks: images from parameters, template versions, instance refreshes."""

from typing import Any

import pytest
from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.ssm.models import ssm_backends

BY_PARAMETER = "resolve:ssm:"
launch = FakeAutoScalingGroup.replace_autoscaling_group_instances


def image_id(group: Any) -> str:
    named: str = group.ec2_launch_template.get_version(group.launch_template_version).image_id
    if not named.startswith(BY_PARAMETER):
        return named
    parameter = ssm_backends[group.account_id][group.region].get_parameter(named.removeprefix(BY_PARAMETER))
    assert parameter
    return parameter.value


def launch_and_remember(group: Any, count: int, tags: dict[str, str]) -> None:
    known = len(group.instance_states)
    launch(group, count, tags)
    for state in group.instance_states[known:]:
        state.made_by = {**group.launch_template, "Version": group.launch_template_version}


def start_instance_refresh(response: Any) -> ActionResult:
    """Start a refresh that stays in progress, as it does for minutes on AWS."""
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    refreshes = group.__dict__.setdefault("refreshes", [])
    assert not [refresh for refresh in refreshes if refresh["Status"] == "InProgress"]
    refreshes.insert(0, {"InstanceRefreshId": f"refresh-{len(refreshes)}", "Status": "InProgress"})
    return ActionResult({"InstanceRefreshId": refreshes[0]["InstanceRefreshId"]})


def describe_instance_refreshes(response: Any) -> ActionResult:
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    return ActionResult({"InstanceRefreshes": group.__dict__.get("refreshes", [])})


def finish_refresh(group: Any) -> None:
    """Finish the refresh: replace all instances."""
    for state in list(group.instance_states):
        group.autoscaling_backend.terminate_instance(state.instance_id, False)
    group.refreshes[0]["Status"] = "Successful"


def teach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch moto until the test ends."""
    # A group of several instance types lacks it, and cannot be described.
    monkeypatch.setattr(FakeAutoScalingGroup, "provided_launch_template_version", None, raising=False)
    monkeypatch.setattr(FakeAutoScalingGroup, "image_id", property(image_id))
    monkeypatch.setattr(FakeAutoScalingGroup, "replace_autoscaling_group_instances", launch_and_remember)
    monkeypatch.setattr(InstanceState, "launch_template", property(lambda state: state.made_by))
    for action in (start_instance_refresh, describe_instance_refreshes):
        monkeypatch.setattr(AutoScalingResponse, action.__name__, action, raising=False)
