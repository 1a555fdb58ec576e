# SPDX-License-Identifier: Apache-2.0
"""Lifecycle hooks where moto 5.2 lacks them: instances wait for their launch hook, and are replaced if abandoned."""

from typing import Any

import pytest
from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
WAITING = "Pending:Wait"


def waits(group: Any) -> bool:
    hooks = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
    return any(hook.lifecycle_transition == LAUNCHING for hook in hooks)


def complete_lifecycle_action(response: Any) -> ActionResult:
    group, state = _waiting(response)
    if response._get_param("LifecycleActionResult") == "CONTINUE":
        state.lifecycle_state = "InService"
    else:
        group.autoscaling_backend.terminate_instance(state.instance_id, False)
    return EmptyResult()


def record_lifecycle_action_heartbeat(response: Any) -> ActionResult:
    _waiting(response)
    return EmptyResult()


def describe_instance_refreshes(response: Any) -> ActionResult:
    return ActionResult({"InstanceRefreshes": []})


def _waiting(response: Any) -> tuple[Any, Any]:
    """Return the group and the instance for which its hook waits."""
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    hooks = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
    known = response._get_param("LifecycleHookName") in {hook.name for hook in hooks}
    instance = response._get_param("InstanceId")
    for state in group.instance_states:
        if known and state.instance_id == instance and state.lifecycle_state == WAITING:
            return group, state
    raise ValidationError(f"No active Lifecycle Action found with instance ID {instance}")


def teach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch moto until the test ends."""
    launch = FakeAutoScalingGroup.replace_autoscaling_group_instances

    def launch_and_wait(group: Any, count: int, tags: dict[str, str]) -> None:
        known = len(group.instance_states)
        launch(group, count, tags)
        for state in group.instance_states[known:]:
            state.lifecycle_state = WAITING if waits(group) else state.lifecycle_state

    monkeypatch.setattr(FakeAutoScalingGroup, "replace_autoscaling_group_instances", launch_and_wait)
    # Instances that wait count as well, or moto would launch others in their place.
    monkeypatch.setattr(FakeAutoScalingGroup, "active_instances", lambda group: list(group.instance_states))
    for action in (complete_lifecycle_action, record_lifecycle_action_heartbeat, describe_instance_refreshes):
        if not hasattr(AutoScalingResponse, action.__name__):
            monkeypatch.setattr(AutoScalingResponse, action.__name__, action, raising=False)
