# SPDX-License-Identifier: Apache-2.0
"""Instances that are thrown away, on AWS as moto plays it, by the real playbook and modules; needs no lab host."""

import base64
import re
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto.autoscaling.models import autoscaling_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from slipway.lab import play
from slipway.lab.paths import PROJECT
from slipway.lab.play import Run, ok
from tests.support import iam_policies, moto_autoscaling
from tests.support.recorded_aws import KEYS, RecordedAws

HOME = "eu-central-1"
STRANGER = "111122223333"
NAME = "docker-web"
PARAMETER = "/slipway/ami/docker-el9"
# AWS checks some of these itself when a group launches instances; the others change tags and target groups, or delete
# what scales and who may connect, as no test does, or hooks, as test_fleet_hooks.py does.
NEVER_CALLED = {
    "autoscaling:AttachLoadBalancerTargetGroups",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DeleteLifecycleHook",
    "autoscaling:DeletePolicy",
    "autoscaling:DeleteScheduledAction",
    "autoscaling:DeleteTags",
    "autoscaling:DetachLoadBalancerTargetGroups",
    "autoscaling:PutLifecycleHook",
    "cloudwatch:DeleteAlarms",
    "ec2:CreateTags",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:RunInstances",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    "elasticloadbalancing:DescribeTargetGroups",
    "iam:PassRole",
    "ssm:GetParameters",
}
USER_DATA = "#cloud-config\nhostname: web\n"


@dataclass
class Cloud:
    """An account with a published image, a profile, and the VPC that every account has."""

    aws: RecordedAws
    user_data: Path

    def __post_init__(self) -> None:
        self.ec2 = self.aws.client("ec2", HOME)
        self.autoscaling = self.aws.client("autoscaling", HOME)
        self.user_data.write_text(USER_DATA)
        self.subnets = [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]][:2]
        self.security_group = self.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        iam = self.aws.client("iam", HOME)
        self.profile = iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
        self.image = self.publish("docker-el9-1")

    def publish(self, name: str) -> str:
        """Have the parameter name a new image."""
        image: str = self.ec2.register_image(Name=name)["ImageId"]
        self.aws.client("ssm", HOME).put_parameter(Name=PARAMETER, Value=image, Type="String", Overwrite=True)
        return image

    def run(self, *options: str, **variables: Any) -> Run:
        """Run the playbook for a fleet of two, with these variables."""
        self.aws.calls.clear()
        wanted = {
            "name": NAME,
            "region": HOME,
            "parameter": PARAMETER,
            "instance_profile": "web",
            "security_groups": [self.security_group],
            "subnets": self.subnets,
            "min_size": 2,
            "max_size": 4,
            "user_data_file": str(self.user_data),
            "tags": {"Team": "platform"},
        } | variables
        names = {name if name.startswith("ansible_") else f"ami_fleet_{name}": wanted[name] for name in wanted}
        return play.run(PROJECT / "playbooks/fleet.yml", Path("localhost,"), names, list(options))

    def template(self) -> dict[str, Any]:
        """The template's newest version."""
        found = self.ec2.describe_launch_template_versions(LaunchTemplateName=NAME, Versions=["$Latest"])
        return dict(found["LaunchTemplateVersions"][0])

    def group(self) -> dict[str, Any]:
        return dict(self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])["AutoScalingGroups"][0])

    def instances(self) -> dict[str, dict[str, Any]]:
        """What runs, by id."""
        found = self.ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
        return {
            instance["InstanceId"]: instance
            for reservation in found["Reservations"]
            for instance in reservation["Instances"]
        }

    def security_groups(self) -> list[dict[str, Any]]:
        """The fleet's own."""
        found = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [NAME]}])
        return list(found["SecurityGroups"])

    def finish_refresh(self) -> None:
        moto_autoscaling.finish_refresh(autoscaling_backends[DEFAULT_ACCOUNT_ID][HOME].autoscaling_groups[NAME])


@pytest.fixture
def cloud(aws: RecordedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    moto_autoscaling.teach(monkeypatch)
    return Cloud(aws, tmp_path / "user-data")


def changed(run: Run) -> list[str]:
    return [task.removeprefix("slipway.platform.ami_fleet : ") for task in run.changed("localhost")]


def test_a_fleet_comes_from_the_parameter_with_imdsv2_an_encrypted_disk_and_no_key(
    cloud: Cloud,
) -> None:
    predicted = ok(cloud.run("--check", "--diff"))
    assert cloud.aws.changes() == []
    assert changed(predicted) == ["Template | Write the launch template", "Group | Write the Auto Scaling group"]

    ok(cloud.run())
    data = cloud.template()["LaunchTemplateData"]
    assert data["ImageId"] == f"resolve:ssm:{PARAMETER}"
    assert data["IamInstanceProfile"] == {"Arn": cloud.profile}
    assert data["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": "enabled",
    }
    (disk,) = data["BlockDeviceMappings"]
    assert disk["DeviceName"] == "/dev/sda1"  # the image's root, as CentOS' is
    assert disk["Ebs"] == {"Encrypted": True, "DeleteOnTermination": True, "VolumeSize": 20, "VolumeType": "gp3"}
    assert "KeyName" not in data
    assert base64.b64decode(data["UserData"]).decode() == USER_DATA
    tags = {"Name": NAME, "Team": "platform"}
    (volume,) = data["TagSpecifications"]
    assert {tag["Key"]: tag["Value"] for tag in volume["Tags"]} == tags

    group = cloud.group()
    assert (group["HealthCheckType"], group["HealthCheckGracePeriod"]) == ("EC2", 300)
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (2, 2, 4)
    assert set(group["VPCZoneIdentifier"].split(",")) == set(cloud.subnets)
    assert {tag["Key"]: (tag["Value"], tag["PropagateAtLaunch"]) for tag in group["Tags"]} == {
        key: (value, True) for key, value in tags.items()
    }
    assert {instance["ImageId"] for instance in cloud.instances().values()} == {cloud.image}


@pytest.mark.slow
def test_instances_that_would_not_be_launched_so_today_are_replaced_once_and_then_nothing_is_changed(
    cloud: Cloud,
) -> None:
    """Fault: the parameter names a new image, or the template has a new version. Outcome: the group's instances are
    replaced once; nothing else changes.
    """
    ok(cloud.run())
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=3)  # as a scaling policy does
    old = cloud.instances().keys()
    image = cloud.publish("docker-el9-2")
    wanted: dict[str, Any] = {"max_size": 6, "user_data_file": ""}
    predicted = ok(cloud.run("--check", **wanted))
    assert cloud.aws.changes() == []
    assert all(instance in predicted.output for instance in old)
    done = ok(cloud.run(**wanted))
    assert changed(done) == changed(predicted)
    assert changed(done)[-1] == "Refresh | Replace the instances"
    assert cloud.aws.changes() == [
        "CreateLaunchTemplateVersion",
        "ModifyLaunchTemplate",
        "UpdateAutoScalingGroup",
        "EnableMetricsCollection",
        "StartInstanceRefresh",
    ]
    (asked,) = cloud.aws.made("CreateLaunchTemplateVersion")
    assert "SourceVersion" not in asked.parameters  # of which AWS would inherit the user data
    assert "UserData" not in cloud.template()["LaunchTemplateData"]
    group = cloud.group()
    assert (group["LaunchTemplate"]["Version"], group["DesiredCapacity"], group["MaxSize"]) == ("2", 3, 6)
    (asked,) = cloud.aws.made("StartInstanceRefresh")
    assert asked.parameters["Preferences.MinHealthyPercentage"] == "100"  # a new one serves before an old one ends
    assert asked.parameters["Preferences.MaxHealthyPercentage"] == "110"
    assert asked.parameters["Preferences.InstanceWarmup"] == "300"
    assert "a refresh is in progress" in ok(cloud.run(**wanted)).output
    assert cloud.aws.changes() == []

    cloud.finish_refresh()
    assert {instance["ImageId"] for instance in cloud.instances().values()} == {image}
    assert changed(ok(cloud.run(**wanted))) == []
    assert cloud.aws.changes() == []


@pytest.mark.slow
def test_a_fleet_has_a_security_group_of_its_own_to_which_nobody_may_connect(cloud: Cloud) -> None:
    """Fault: all subnets are in one zone, or a security group of the fleet's name belongs to somebody else. Outcome:
    refused; nothing is made.
    """
    own: dict[str, Any] = {"security_group_managed": True, "security_groups": []}
    predicted = ok(cloud.run("--check", "--diff", **own))
    assert cloud.aws.changes() == []
    done = ok(cloud.run(**own))
    assert changed(done) == changed(predicted)
    assert changed(done)[0] == "Network | Write the fleet's own security group"
    assert "eu-central-1a: 0 in service, " in done.output
    assert "aws ec2 enable-ebs-encryption-by-default" in done.output
    (group,) = cloud.security_groups()
    assert cloud.template()["LaunchTemplateData"]["SecurityGroupIds"] == [group["GroupId"]]
    assert group["IpPermissions"] == []
    allowed = {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["IpPermissionsEgress"]}
    assert allowed == {("tcp", 443, 443)}

    cloud.ec2.enable_ebs_encryption_by_default()
    rules = [{"proto": "tcp", "ports": [443], "cidr_ip": "10.0.0.0/8", "rule_desc": "inside"}]
    done = ok(cloud.run(**own, ingress=rules))
    assert changed(done) == ["Network | Write the fleet's own security group"]
    assert sum(int(count) for count in re.findall(r"eu-central-1[ab]: (\d+) in service, ", done.output)) == 2
    assert "enable-ebs-encryption-by-default" not in done.output
    (group,) = cloud.security_groups()
    assert [rule["IpRanges"] for rule in group["IpPermissions"]] == [
        [{"CidrIp": "10.0.0.0/8", "Description": "inside"}]
    ]
    one: dict[str, Any] = {"subnets": cloud.subnets[:1]}
    predicted = ok(cloud.run("--check", **own, **one, ingress=rules, single_zone_confirmed="true"))
    assert changed(predicted) == ["Group | Write the Auto Scaling group"]

    cloud.ec2.delete_tags(Resources=[group["GroupId"]], Tags=[{"Key": "slipway:fleet"}])
    message = cloud.aws.refused(cloud.run(**own, **one))
    assert f"all of ami_fleet_subnets are in {HOME}a" in message
    assert f"security group {group['GroupId']} in {group['VpcId']} is already named {NAME}" in message


@pytest.mark.slow
def test_a_fleet_is_scaled_by_metrics_and_times_on_several_types_and_spot(cloud: Cloud) -> None:
    """Fault: a scaling policy follows a metric that nobody publishes. Outcome: refused; nothing is changed."""
    cloudwatch = cloud.aws.client("cloudwatch", HOME)

    def publish(namespace: str, metric: str, dimension: str, value: str) -> None:
        data = {"MetricName": metric, "Dimensions": [{"Name": dimension, "Value": value}], "Value": 1}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])

    publish("Shop", "Waiting", "Queue", "orders")
    shop = {"name": "queue", "metric": "Waiting", "namespace": "Shop", "dimensions": {"Queue": "orders"}, "above": 100}
    memory = {"name": "memory", "metric": "memory", "target": 70}  # of which a fleet without instances has none yet
    wanted: dict[str, Any] = {
        "scaling_policies": [
            {"name": "cpu", "metric": "cpu", "target": 60},
            memory,
            shop | {"steps": [{"from": 0, "add": 1}, {"from": 50, "add": 2}]},
        ],
        "schedules": [{"name": "morning", "cron": "0 7 * * 1-5", "time_zone": "Europe/Berlin", "desired": 3}],
        "instance_types": ["m6a.large", "m5.large"],
        "on_demand_base": 1,
        "on_demand_percent": 0,
    }
    predicted = ok(cloud.run("--check", **wanted))
    assert cloud.aws.changes() == []
    assert f"{NAME} cpu, {NAME} memory, {NAME} queue would be written" in predicted.output

    ok(cloud.run(**wanted))
    put = {call.parameters["PolicyName"]: call.parameters for call in cloud.aws.made("PutScalingPolicy")}
    assert set(put) == {f"{NAME} cpu", f"{NAME} memory", f"{NAME} queue"}
    tracking = "TargetTrackingConfiguration."
    assert put[f"{NAME} cpu"][f"{tracking}PredefinedMetricSpecification.PredefinedMetricType"] == (
        "ASGAverageCPUUtilization"
    )
    assert put[f"{NAME} memory"][f"{tracking}CustomizedMetricSpecification.Dimensions.member.1.Value"] == NAME
    policies = cloud.autoscaling.describe_policies(AutoScalingGroupName=NAME)["ScalingPolicies"]
    (arn,) = (policy["PolicyARN"] for policy in policies if policy["PolicyName"] == f"{NAME} queue")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"{NAME} queue"])["MetricAlarms"]
    assert (alarm["AlarmActions"], alarm["Threshold"], alarm["Namespace"]) == ([arn], 100, "Shop")
    (schedule,) = cloud.aws.made("PutScheduledUpdateGroupAction")
    assert {name: schedule.parameters[name] for name in ("Recurrence", "TimeZone", "DesiredCapacity")} == {
        "Recurrence": "0 7 * * 1-5",
        "TimeZone": "Europe/Berlin",
        "DesiredCapacity": "3",
    }
    (asked,) = cloud.aws.made("CreateAutoScalingGroup")
    mixed = "MixedInstancesPolicy."
    shares = f"{mixed}InstancesDistribution."
    assert [asked.parameters[f"{mixed}LaunchTemplate.Overrides.member.{n}.InstanceType"] for n in (1, 2, 3)] == [
        "m6i.large",
        "m6a.large",
        "m5.large",
    ]
    assert asked.parameters[f"{shares}OnDemandBaseCapacity"] == "1"
    assert asked.parameters[f"{shares}OnDemandPercentageAboveBaseCapacity"] == "0"
    assert asked.parameters[f"{shares}SpotAllocationStrategy"] == "price-capacity-optimized"

    message = cloud.aws.refused(cloud.run(**wanted))  # the instances are there, and publish nothing
    assert f"nobody has published CWAgent mem_used_percent by AutoScalingGroupName {NAME} in {HOME}" in message
    publish("CWAgent", "mem_used_percent", "AutoScalingGroupName", NAME)
    assert changed(ok(cloud.run(**wanted))) == []


def test_a_malformed_wish_is_refused_before_aws_is_asked_and_all_of_it_at_once(cloud: Cloud) -> None:
    """Fault: malformed ids and sizes of a fleet; user data with a token. Outcome: all problems at once, without the
    token, before AWS is asked.
    """
    cloud.user_data.write_text(USER_DATA + "token: dckr_pat_" + "a" * 24 + "\n" + "#" * 17000)
    message = cloud.aws.refused(
        cloud.run(
            name="docker web",
            parameter="docker-el9",
            subnets=[],
            security_groups=["web"],
            health_check="ELB",
            min_size=3,
            max_size=2,
            min_healthy=101,
            tags={"aws:team": "platform"},
            ingress=[{"proto": "tcp", "cidr_ip": "anywhere"}],
            schedules=[{"name": "morning", "cron": "0 7 * * *", "desired": 2, "min_size": 1}],
            on_demand_percent=0,
        ),
    )
    assert cloud.aws.calls == []
    for sentence in (
        "ami_fleet_name 'docker web' is not a valid launch template name",
        "ami_fleet_parameter 'docker-el9' is not an SSM parameter path",
        "ami_fleet_subnets is empty",
        "'web' in ami_fleet_security_groups is malformed",
        "ami_fleet_health_check is ELB, but ami_fleet_target_groups is empty",
        "ami_fleet_min_size 3 and ami_fleet_max_size 2 are invalid",
        "ami_fleet_min_healthy 101 and ami_fleet_max_healthy 110 are invalid",
        "ami_fleet_tags has aws:team",
        "rule 1 of ami_fleet_ingress has no valid ports",
        "schedule morning has no time_zone",
        "ami_fleet_on_demand_percent 0 asks for Spot instances of too few types",
        "rule 1 of ami_fleet_ingress has the invalid cidr_ip 'anywhere'",
        "bytes, but AWS accepts at most 16384",
        f"{cloud.user_data} has a Docker token on line 3",
    ):
        assert sentence in message
    assert "dckr_pat_" not in message


def test_what_aws_has_not_is_refused_before_anything_is_made(cloud: Cloud) -> None:
    """Fault: a fleet's parameter, profile, subnet or security group does not exist. Outcome: one sentence each; nothing
    is made.
    """
    subnet, group = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
    message = cloud.aws.refused(
        cloud.run(
            parameter="/none", instance_profile="none", subnets=[*cloud.subnets, subnet], security_groups=[group]
        ),
    )
    for sentence in (
        f"parameter /none does not exist in {HOME}",
        "instance profile none does not exist",
        f"subnet {subnet} does not exist in {HOME}",
        f"security group {group} does not exist in {HOME}",
    ):
        assert sentence in message


@pytest.mark.slow
def test_an_image_is_launched_only_of_an_account_that_is_named(cloud: Cloud) -> None:
    """Fault: a fleet's parameter names an image of an account that is not allowed. Outcome: refused; nothing is made.

    A parameter could name an image that anybody has made public.
    """
    image = cloud.publish("docker-el9-2")
    ec2_backends[DEFAULT_ACCOUNT_ID][HOME].amis[image].owner_id = STRANGER
    message = cloud.aws.refused(cloud.run())
    assert f"is '{image}', which is either not an image that this account may launch, or not owned by" in message
    ok(cloud.run("--check", image_owners=[STRANGER]))


@pytest.mark.slow
def test_without_credentials_boto3_or_such_a_region_one_sentence_says_so(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: no boto3, no credentials or no such region when a fleet is deployed. Outcome: one sentence."""
    venv.create(tmp_path / "bare")
    bare = str(tmp_path / "bare/bin/python")
    assert f"boto3 is missing in {bare}" in cloud.aws.refused(cloud.run(ansible_python_interpreter=bare))
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # no name of AWS' is looked up here
        elsewhere.setenv("AWS_MAX_ATTEMPTS", "1")
        assert "that mars-1 is an AWS region" in cloud.aws.refused(cloud.run(region="mars-1"))
    for name in KEYS:
        monkeypatch.delenv(name.upper())
    assert "no usable AWS credentials" in cloud.aws.refused(cloud.run())


def test_the_policy_of_the_guide_allows_the_calls_that_were_made(played: set[tuple[str, str]]) -> None:
    assert iam_policies.denied("ami-fleet", played) == set()


@pytest.mark.slow
def test_the_policy_of_the_guide_allows_no_others(played: set[tuple[str, str]], request: pytest.FixtureRequest) -> None:
    iam_policies.require_all_calls(request)
    assert iam_policies.unused("ami-fleet", played) == NEVER_CALLED
