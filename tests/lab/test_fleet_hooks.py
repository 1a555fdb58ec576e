# SPDX-License-Identifier: Apache-2.0
"""A fleet whose instances are ready or replaced, on AWS as moto plays it, by the real playbook and modules."""

from pathlib import Path
from typing import Any

import pytest

from slipway.lab.play import ok
from tests.lab.test_fleet import HOME, NAME, Cloud, changed
from tests.support import iam_policies, moto_autoscaling, moto_lifecycle
from tests.support.recorded_aws import RecordedAws

LAUNCH, TERMINATION = "slipway-launch", "slipway-termination"
HOOKS = {"hooks": True}


@pytest.fixture
def cloud(aws: RecordedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    moto_autoscaling.teach(monkeypatch)
    moto_lifecycle.teach(monkeypatch)
    return Cloud(aws, tmp_path / "user-data")


def states(cloud: Cloud) -> dict[str, str]:
    return {instance["InstanceId"]: instance["LifecycleState"] for instance in cloud.group()["Instances"]}


def hooks(cloud: Cloud) -> set[str]:
    found = cloud.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=NAME)["LifecycleHooks"]
    return {hook["LifecycleHookName"] for hook in found}


def finish(cloud: Cloud, instance: str, result: str) -> None:
    cloud.autoscaling.complete_lifecycle_action(
        LifecycleHookName=LAUNCH, AutoScalingGroupName=NAME, InstanceId=instance, LifecycleActionResult=result
    )


@pytest.mark.slow
def test_no_instance_serves_before_it_is_ready_and_one_that_never_is_is_replaced(
    cloud: Cloud, played: set[tuple[str, str]]
) -> None:
    """Fault: an instance of a fleet never becomes ready. Outcome: it never serves; its launch is abandoned, and the
    group replaces it.

    Fault: the credentials of the controller may not create a lifecycle hook. Outcome: one sentence; the group has no
    instance that would serve unready.
    """
    predicted = ok(cloud.run("--check", "--diff", **HOOKS))
    assert cloud.aws.changes() == []
    assert changed(predicted)[1:] == [
        "Hooks | Create the group without instances",
        "Group | Write the Auto Scaling group",
    ]

    cloud.aws.lose_answer("PutLifecycleHook", HOME)
    message = cloud.run(**HOOKS).failure("localhost")
    assert "may not call PutLifecycleHook: allow it in their policy" in message
    assert "no instance was launched or replaced: run the play again" in message
    assert cloud.instances() == {}
    (empty,) = cloud.aws.made("CreateAutoScalingGroup")
    assert (empty.parameters["MinSize"], empty.parameters["DesiredCapacity"]) == ("0", "0")
    asked = {call.parameters["LifecycleHookName"]: call.parameters for call in cloud.aws.made("PutLifecycleHook")}
    assert {
        name: (hook["LifecycleTransition"], hook["DefaultResult"], hook["HeartbeatTimeout"])
        for name, hook in asked.items()
    } == {
        LAUNCH: ("autoscaling:EC2_INSTANCE_LAUNCHING", "ABANDON", "600"),
        TERMINATION: ("autoscaling:EC2_INSTANCE_TERMINATING", "CONTINUE", "360"),
    }

    ok(cloud.run(termination_timeout=400, **HOOKS))
    assert [call.parameters["HeartbeatTimeout"] for call in cloud.aws.made("PutLifecycleHook")] == ["400"]
    changes = cloud.aws.changes()
    assert changes.index("PutLifecycleHook") < changes.index("UpdateAutoScalingGroup")
    broken, ready = states(cloud)
    assert set(states(cloud).values()) == {"Pending:Wait"}
    finish(cloud, broken, "ABANDON")
    (replacement,) = states(cloud).keys() - {broken, ready}
    assert replacement in cloud.instances() and broken not in cloud.instances()
    for instance in (ready, replacement):
        finish(cloud, instance, "CONTINUE")
    assert states(cloud) == {ready: "InService", replacement: "InService"}
    assert changed(ok(cloud.run(termination_timeout=400, **HOOKS))) == []

    cloud.autoscaling.put_lifecycle_hook(
        AutoScalingGroupName=NAME, LifecycleHookName="own", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING"
    )
    assert changed(ok(cloud.run())) == ["Hooks | Write or remove the lifecycle hooks"]
    assert hooks(cloud) == {"own"}
    assert iam_policies.denied("ami-fleet", played) == set()


def test_time_outs_that_contradict_each_other_are_refused(cloud: Cloud) -> None:
    """Fault: a hook's time-out is shorter than the boot or the drain that it waits for, and no role could complete it.
    Outcome: one sentence each, with the variables; nothing is made.
    """
    wanted: dict[str, Any] = {"launch_timeout": 100, "termination_timeout": 60, "instance_profile": ""}
    message = cloud.aws.refused(cloud.run(**HOOKS, **wanted))
    for sentence in (
        "ami_fleet_launch_timeout is 100, but the first heartbeat of a boot may take 240 s",
        "ami_fleet_termination_timeout is 60, but instances drain for up to 300 s",
        "ami_fleet_hooks is true, but ami_fleet_instance_profile is empty",
    ):
        assert sentence in message
    assert cloud.aws.calls == []
