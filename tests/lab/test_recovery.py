# SPDX-License-Identifier: Apache-2.0
"""Images and fleets that are restored in another region, and instances that are lost on purpose, on AWS as moto plays
it, by the real playbooks and modules; needs no lab host.
"""

import hashlib
import json
import re
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
from tests.support import iam_policies, moto_autoscaling, moto_images
from tests.support.recorded_aws import RecordedAws

# Minutes, and the parts have tests of their own: the choice of images and instances, and the policies.
pytestmark = pytest.mark.slow
HOME, AWAY = "eu-central-1", "eu-west-1"
STRANGER = "111122223333"
FAMILY, IMAGE, NAME = "docker-el9", "docker-el9-20260801", "docker-web"
PARAMETER = f"/slipway/ami/restored/{FAMILY}"
MANIFEST = '{"format": 1}\n'


@dataclass
class Cloud:
    """An account with nothing but what every account has."""

    aws: RecordedAws
    folder: Path

    def __post_init__(self) -> None:
        self.ec2 = {region: self.aws.client("ec2", region) for region in (HOME, AWAY)}
        self.autoscaling = {region: self.aws.client("autoscaling", region) for region in (HOME, AWAY)}
        (self.folder / "manifest.json").write_text(MANIFEST)

    def play(self, playbook: str, *options: str, **variables: Any) -> Run:
        self.aws.calls.clear()
        return play.run(PROJECT / f"playbooks/{playbook}.yml", Path("localhost,"), variables, list(options))

    def publish_with_a_backup(self) -> None:
        """By the role of which a restore reads the tags."""
        key: dict[str, str] = {}
        for region in (HOME, AWAY):
            key[region] = self.aws.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        volume = self.ec2[HOME].create_volume(Size=8, AvailabilityZone=f"{HOME}a", Encrypted=True, KmsKeyId=key[HOME])[
            "VolumeId"
        ]
        digest = hashlib.sha256(MANIFEST.encode()).hexdigest()
        ok(
            self.play(
                "ami",
                ami_publish_family=FAMILY,
                ami_publish_region=HOME,
                ami_publish_source=self.ec2[HOME].create_snapshot(VolumeId=volume)["SnapshotId"],
                ami_publish_name=IMAGE,
                ami_publish_tags={"Team": "platform", "manifest-sha256": digest},
                ami_publish_map_file=str(self.folder / "map.json"),
                ami_publish_backup_region=AWAY,
                ami_publish_backup_kms_key=key[AWAY],
            )
        )

    def restore(self, *options: str, **variables: Any) -> Run:
        given: dict[str, Any] = {
            "ami_restore_region": AWAY,
            "ami_restore_family": FAMILY,
            "ami_restore_map_file": str(self.folder / "map.json"),
            "ami_restore_manifest": str(self.folder / "manifest.json"),
            "ami_fleet_name": NAME,
            "ami_fleet_subnets": [subnet["SubnetId"] for subnet in self.ec2[AWAY].describe_subnets()["Subnets"]][:2],
            "ami_fleet_security_groups": [self.ec2[AWAY].describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        }
        return self.play("restore", *options, **(given | variables))

    def group(self, region: str) -> dict[str, Any]:
        (group,) = self.autoscaling[region].describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])[
            "AutoScalingGroups"
        ]
        return dict(group)

    def make_group(self, count: int) -> list[str]:
        """A group of a minimum of one instance, and its instances."""
        image = self.ec2[HOME].register_image(Name="any")["ImageId"]
        self.ec2[HOME].create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData={"ImageId": image})
        self.autoscaling[HOME].create_auto_scaling_group(
            AutoScalingGroupName=NAME,
            LaunchTemplate={"LaunchTemplateName": NAME, "Version": "1"},
            AvailabilityZones=[f"{HOME}a", f"{HOME}b"],
            MinSize=1,
            MaxSize=4,
            DesiredCapacity=count,
        )
        return self.instances()

    def instances(self) -> list[str]:
        return [member["InstanceId"] for member in self.group(HOME)["Instances"]]

    def drill(self, *options: str, **variables: Any) -> Run:
        return self.play("drill", *options, ami_fleet_name=NAME, ami_fleet_region=HOME, **variables)


@pytest.fixture
def cloud(aws: RecordedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    moto_images.teach(monkeypatch)
    moto_autoscaling.teach(monkeypatch)
    return Cloud(aws, tmp_path)


def test_a_lost_region_comes_back_from_its_backup_as_a_pilot_light_that_is_promoted(cloud: Cloud) -> None:
    """Fault: the region of an image and its fleet is lost. Outcome: one command registers the image from its backup in
    another region and makes a group of no instances; one variable gives it instances, and the time is printed.
    """
    cloud.publish_with_a_backup()
    (backup,) = cloud.ec2[AWAY].describe_snapshots(
        OwnerIds=["self"], Filters=[{"Name": "tag-key", "Values": ["Team"]}]
    )["Snapshots"]
    predicted = ok(cloud.restore("--check", "--diff"))
    assert cloud.aws.changes() == []
    assert f"{IMAGE} would be restored in {AWAY} from {backup['SnapshotId']}" in predicted.output
    assert f"The fleet {NAME} would launch the restored image." in predicted.output

    pilot = ok(cloud.restore())
    assert {call.region for call in cloud.aws.calls} == {AWAY}
    (image,) = cloud.ec2[AWAY].describe_images(Owners=["self"])["Images"]
    assert image["Name"] == f"{IMAGE}-restored-{backup['SnapshotId']}"
    assert image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == backup["SnapshotId"]
    (asked,) = cloud.aws.made("RegisterImage")  # of which moto keeps little
    assert {name: asked.parameters[name] for name in ("Architecture", "BootMode", "EnaSupport", "RootDeviceName")} == {
        "Architecture": "x86_64",
        "BootMode": "uefi-preferred",
        "EnaSupport": "true",
        "RootDeviceName": "/dev/xvda",
    }
    assert {tag["Key"]: tag["Value"] for tag in image["Tags"]} == {
        "slipway:image": IMAGE,
        "slipway:restored-from": backup["SnapshotId"],
    }
    named = cloud.aws.client("ssm", AWAY).get_parameter(Name=PARAMETER)["Parameter"]
    assert named["Value"] == image["ImageId"]
    group = cloud.group(AWAY)
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (0, 0, 4)
    assert f"{NAME} is a pilot light of no instances in {AWAY}: set ami_restore_promoted to true to launch 2." in (
        pilot.output
    )

    promoted = ok(cloud.restore(ami_restore_promoted="true"))
    assert cloud.aws.changes() == ["UpdateAutoScalingGroup", "EnableMetricsCollection"]
    group = cloud.group(AWAY)
    assert (group["MinSize"], group["DesiredCapacity"], len(group["Instances"])) == (2, 2, 2)
    assert re.search(rf"{NAME} has 2 instances in service in {AWAY}: recovered in [0-9]+ s\.", promoted.output)
    again = ok(cloud.restore("--check", ami_restore_promoted="true"))
    assert again.changed("localhost") == []

    other = cloud.folder / "other.json"
    other.write_text(json.dumps({HOME: "ami-0123456789abcdef0"}))
    message = cloud.aws.refused(cloud.restore(ami_restore_map_file=str(other), ami_restore_manifest=str(other)))
    assert f"which {other} does not name: it is a backup of another image" in message
    assert "it is the manifest of another image" in message


def test_a_snapshot_of_somebody_else_is_not_restored(cloud: Cloud) -> None:
    """Fault: the backup to restore belongs to another account, which has shared it. Outcome: refused; nothing is
    registered.
    """
    volume = cloud.ec2[AWAY].create_volume(Size=8, AvailabilityZone=f"{AWAY}a")["VolumeId"]
    tags = [
        {"Key": f"slipway:{key}", "Value": value}
        for key, value in {"family": FAMILY, "image": IMAGE, "source": "ami-0", "backup-of": "snap-0"}.items()
    ]
    snapshot = cloud.ec2[AWAY].create_snapshot(
        VolumeId=volume, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}]
    )["SnapshotId"]
    ec2_backends[DEFAULT_ACCOUNT_ID][AWAY].snapshots[snapshot].owner_id = STRANGER
    files = {"ami_restore_map_file": "", "ami_restore_manifest": ""}
    message = cloud.aws.refused(cloud.restore(ami_restore_snapshot=snapshot, **files))
    assert f"snapshot {snapshot} belongs to account {STRANGER}, which decides what is in it" in message
    message = cloud.aws.refused(cloud.restore(**files))
    assert f"no complete backup of {FAMILY} exists in {AWAY}" in message
    message = cloud.aws.refused(
        cloud.restore(ami_restore_size=5, ami_fleet_region=HOME, ami_restore_map_file="/none", ami_restore_manifest="")
    )
    assert cloud.aws.calls == []
    for sentence in (
        "ami_restore_map_file /none does not exist",
        "ami_restore_size 5 and ami_restore_max_size 4 are invalid",
        "ami_fleet_region is set, but the restored fleet gets it from ami_restore",
    ):
        assert sentence in message


def test_a_drill_takes_the_chosen_instance_once_it_is_confirmed_and_waits_until_it_is_replaced(cloud: Cloud) -> None:
    """Fault: an instance of a fleet is terminated on purpose. Outcome: the fleet replaces it; the time is printed."""
    chosen, *others = cloud.make_group(3)
    asked = ok(cloud.drill(fleet_drill_instance=chosen))
    assert cloud.aws.changes() == []
    assert f"{chosen} would be terminated, and {NAME} would have to replace it" in asked.output
    predicted = ok(cloud.drill("--check", fleet_drill_instance=chosen, fleet_drill_confirmed=True))
    assert cloud.aws.changes() == []
    done = ok(cloud.drill(fleet_drill_instance=chosen, fleet_drill_confirmed=True))
    assert done.changed("localhost") == predicted.changed("localhost") != []
    (call,) = (call for call in cloud.aws.calls if call.action in cloud.aws.changes())
    assert (call.action, call.parameters["InstanceId"], call.parameters["ShouldDecrementDesiredCapacity"]) == (
        "TerminateInstanceInAutoScalingGroup",
        chosen,
        "false",
    )
    assert re.search(rf"{NAME} is whole again without {chosen}: recovered in [0-9]+ s\.", done.output)
    assert len(cloud.instances()) == 3
    assert set(others) < set(cloud.instances())


def test_a_drill_ends_neither_the_last_instance_nor_one_that_the_group_needs(cloud: Cloud) -> None:
    """Fault: a drill on a group of one, or on one that would fall below its minimum or is not whole. Outcome: refused;
    nothing is terminated.
    """
    (only,) = cloud.make_group(1)
    message = cloud.aws.refused(cloud.drill(fleet_drill_instance=only, fleet_drill_confirmed=True))
    assert f"group {NAME} has 1 healthy instances, and a drill never ends the last one" in message
    cloud.autoscaling[HOME].update_auto_scaling_group(AutoScalingGroupName=NAME, MinSize=2, DesiredCapacity=2)
    message = cloud.aws.refused(cloud.drill(fleet_drill_instance=only, fleet_drill_confirmed=True))
    assert f"group {NAME} has 2 healthy instances and must keep 2" in message
    message = cloud.aws.refused(cloud.drill(fleet_drill_min_healthy=1))
    assert f"fleet_drill_instance is empty: choose one of {only} ({HOME}" in message
    group = autoscaling_backends[DEFAULT_ACCOUNT_ID][HOME].autoscaling_groups[NAME]
    group.instance_states[0].health_status = "Unhealthy"
    cloud.autoscaling[HOME].set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=3)
    message = cloud.aws.refused(cloud.drill(fleet_drill_min_healthy=1, fleet_drill_instance=only))
    assert f"group {NAME} has 2 of 3 instances in service" in message


def test_the_policies_of_the_guide_allow_the_calls_that_were_made_and_no_others(
    played: set[tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    iam_policies.require_all_calls(request)
    denied = [iam_policies.denied(name, played) for name in ("ami-publish", "ami-fleet", "ami-restore", "fleet-drill")]
    assert set.intersection(*denied) <= {"kms:GetKeyPolicy", "kms:ListKeyPolicies", "iam:ListAccountAliases"} | {
        "kms:GetKeyRotationStatus",
        "kms:ListResourceTags",
    }
    for name in ("ami-restore", "fleet-drill"):
        assert iam_policies.unused(name, played) == set()
