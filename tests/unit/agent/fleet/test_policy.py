# SPDX-License-Identifier: Apache-2.0
"""The agent and moto's Auto Scaling, which enforces signatures and the policy of the guide."""

from typing import Any

import pytest
from slipway_agent.aws.autoscaling import ABANDON, CONTINUE, LAUNCH_HOOK, Membership
from slipway_agent.aws.errors import AwsError
from slipway_agent.fleet import health

from tests.support import iam_policies, moto_lifecycle
from tests.support.moto_account import Cloud, client
from tests.support.stand_in_aws import GROUP, ROLE, Aws


@pytest.fixture
def group(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a group of two whose instances wait for their launch hook; the role has the guide's policy."""
    moto_lifecycle.teach(monkeypatch)
    cloud.iam.put_role_policy(RoleName=ROLE, PolicyName="fleet", PolicyDocument=iam_policies.for_moto("fleet-instance"))
    group = client(cloud.address, "autoscaling")
    image = client(cloud.address, "ec2").register_image(Name="web")["ImageId"]
    group.create_launch_configuration(LaunchConfigurationName="web", ImageId=image, InstanceType="m6i.large")
    sizes = {"MinSize": 0, "MaxSize": 2, "DesiredCapacity": 0, "AvailabilityZones": ["eu-central-1a"]}
    group.create_auto_scaling_group(AutoScalingGroupName=GROUP, LaunchConfigurationName="web", **sizes)
    group.put_lifecycle_hook(
        AutoScalingGroupName=GROUP,
        LifecycleHookName=LAUNCH_HOOK,
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )
    group.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    return group


def members(group: Any) -> dict[str, tuple[str, str]]:
    (found,) = group.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    return {item["InstanceId"]: (item["LifecycleState"], item["HealthStatus"]) for item in found["Instances"]}


def test_an_instance_in_its_group_calls_what_the_policy_allows_and_nothing_else(
    cloud: Cloud, metadata: Aws, group: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One instance is abandoned and replaced; the other two are ready, and one of them is reported."""
    calls: set[tuple[str, str]] = set()
    call = Membership._call

    def recorded(member: Any, action: str, *arguments: Any) -> Any:
        calls.add(("autoscaling", action))
        return call(member, action, *arguments)

    monkeypatch.setattr(Membership, "_call", recorded)
    broken, ready = members(group)
    member = Membership(metadata.address, cloud.address)
    metadata.instance["meta-data/instance-id"] = broken
    cloud.enforce()
    assert member.heartbeat(GROUP, LAUNCH_HOOK)
    assert member.complete(GROUP, LAUNCH_HOOK, ABANDON)
    assert not member.complete(GROUP, LAUNCH_HOOK, ABANDON)
    cloud.enforce("inf")
    (replacement,) = members(group).keys() - {broken, ready}
    assert set(members(group).values()) == {("Pending:Wait", "Healthy")}
    for name in (ready, replacement):
        metadata.instance["meta-data/instance-id"] = name
        cloud.enforce()
        assert member.complete(GROUP, LAUNCH_HOOK, CONTINUE)
        cloud.enforce("inf")
    cloud.enforce()
    reported, said = health.report(member, 50)
    cloud.enforce("inf")
    assert reported, said
    assert members(group) == {ready: ("InService", "Healthy"), replacement: ("InService", "Unhealthy")}
    assert iam_policies.denied("fleet-instance", calls) == set()
    assert iam_policies.unused("fleet-instance", calls) == set()


def test_moto_rejects_a_role_without_the_policy(cloud: Cloud, metadata: Aws, group: Any) -> None:
    """Otherwise, the test above would prove nothing."""
    cloud.iam.delete_role_policy(RoleName=ROLE, PolicyName="fleet")
    cloud.enforce()
    with pytest.raises(AwsError, match="HTTP 403"):
        Membership(metadata.address, cloud.address).describe(GROUP)
