# SPDX-License-Identifier: Apache-2.0
"""Images published and looked after on AWS as moto plays it, by the real playbook and modules; needs no lab host."""

import json
import venv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot

from slipway.lab import play
from slipway.lab.paths import PROJECT
from slipway.lab.play import Run, ok
from tests.support import iam_policies, moto_images
from tests.support.recorded_aws import KEYS, RecordedAws

HOME, WEST, EAST = "eu-central-1", "eu-west-1", "us-east-1"
ALICE, BOB = "111122223333", "444455556666"
FAMILY, NAME = "docker-el9", "docker-el9-20260801"
PARAMETER = f"/slipway/ami/{FAMILY}"
BASE = "ami-0123456789abcdef0"
# What modules of amazon.aws ask for besides, and do without where it is denied.
DISPENSABLE = {
    "iam:ListAccountAliases",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
}
# EC2 uses the keys on behalf of the caller, which moto does not.
NEVER_CALLED = {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"}


@dataclass
class Cloud:
    """An account with an instance that was baked and stopped, and a key of its own in three regions."""

    aws: RecordedAws
    map_file: Path

    def __post_init__(self) -> None:
        self.ec2 = {region: self.aws.client("ec2", region) for region in (HOME, WEST, EAST)}
        self.keys = {region: self.make_key(region) for region in (HOME, WEST, EAST)}
        self.instance = self.launch(BASE, Encrypted=True, KmsKeyId=self.keys[HOME])
        self.ec2[HOME].stop_instances(InstanceIds=[self.instance])
        self.aws.calls.clear()

    def make_key(self, region: str) -> str:
        kms = self.aws.client("kms", region)
        key: str = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/ami", TargetKeyId=key)
        return key

    def make_snapshot(self, **volume: Any) -> str:
        made = self.ec2[HOME].create_volume(Size=8, AvailabilityZone=f"{HOME}a", **volume)["VolumeId"]
        return str(self.ec2[HOME].create_snapshot(VolumeId=made)["SnapshotId"])

    def launch(self, image: str, **ebs: Any) -> str:
        """Start an instance; as on AWS, its volume comes from a snapshot."""
        ebs["SnapshotId"] = self.make_snapshot()
        disks = [{"DeviceName": "/dev/xvda", "Ebs": ebs}]
        made = self.ec2[HOME].run_instances(ImageId=image, MinCount=1, MaxCount=1, BlockDeviceMappings=disks)
        return str(made["Instances"][0]["InstanceId"])

    def run(self, *options: str, **variables: Any) -> Run:
        """Run the playbook, with the bare minimum and these variables."""
        self.aws.calls.clear()
        given = {"family": FAMILY, "region": HOME, "map_file": str(self.map_file), **variables}
        names = {name if name.startswith("ansible_") else f"ami_publish_{name}": given[name] for name in given}
        return play.run(PROJECT / "playbooks/ami.yml", Path("localhost,"), names, list(options))

    def publish(self, *options: str, **variables: Any) -> Run:
        """Publish the instance to two more regions."""
        wanted = {
            "source": self.instance,
            "name": NAME,
            "regions": [WEST, EAST],
            "kms_keys": {WEST: "alias/ami", EAST: self.keys[EAST]},
            "accounts": [ALICE, BOB],
            "tags": {"Team": "platform"},
            "parameter": PARAMETER,
            "backup_region": WEST,
            "backup_kms_key": self.keys[WEST],
        }
        return self.run(*options, **(wanted | variables))

    def images(self, region: str) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.ec2[region].describe_images(Owners=["self"])["Images"]
        return images

    def allowed(self, region: str, image: str) -> set[str]:
        asked = self.ec2[region].describe_image_attribute(ImageId=image, Attribute="launchPermission")
        return {permission["UserId"] for permission in asked["LaunchPermissions"]}

    def copiers(self, region: str, snapshot: str) -> set[str]:
        asked = self.ec2[region].describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        return {permission["UserId"] for permission in asked["CreateVolumePermissions"]}

    def tags(self, region: str, resource: str) -> dict[str, str]:
        found = self.ec2[region].describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}


copy_snapshot = EBSBackend.copy_snapshot


def break_copy(backend: Any, *source: Any, **wanted: Any) -> Snapshot:
    """Copy a snapshot as AWS does with a key that it may not use: the failure comes later."""
    snapshot = copy_snapshot(backend, *source, **wanted)
    vars(snapshot).update(status="error", state_message="Given key ID is not accessible")
    return snapshot


@pytest.fixture
def cloud(aws: RecordedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    moto_images.teach(monkeypatch)
    return Cloud(aws, tmp_path / "images.json")


def snapshot_of(image: dict[str, Any]) -> str:
    return str(image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])


def require_images(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """Every region has one image, tagged, shared and told. Return them."""
    found = {region: cloud.images(region) for region in (HOME, WEST, EAST)}
    assert [len(images) for images in found.values()] == [1, 1, 1]
    image = {region: images[0] for region, images in found.items()}
    for region, made in image.items():
        assert cloud.allowed(region, made["ImageId"]) == {ALICE, BOB}
        for resource in (made["ImageId"], snapshot_of(made)):
            source = cloud.instance if region == HOME else image[HOME]["ImageId"]
            assert cloud.tags(region, resource) == {
                "Team": "platform",
                "slipway:family": FAMILY,
                "slipway:image": NAME,
                "slipway:source": source,
                "slipway:base": BASE,
            }
        told = cloud.aws.client("ssm", region).get_parameter(Name=PARAMETER)["Parameter"]
        assert (told["Value"], told["DataType"]) == (made["ImageId"], "aws:ec2:image")
    assert json.loads(cloud.map_file.read_text()) == {region: made["ImageId"] for region, made in image.items()}
    return image


def require_backup(cloud: Cloud, image: dict[str, Any]) -> None:
    """The image has one backup, with the key of its region."""
    wanted = [{"Name": "tag:slipway:backup-of", "Values": [snapshot_of(image)]}]
    backups = cloud.ec2[WEST].describe_snapshots(Filters=wanted)["Snapshots"]
    assert [(backup["State"], backup["Encrypted"], backup["KmsKeyId"]) for backup in backups] == [
        ("completed", True, cloud.keys[WEST])
    ]


def test_an_instance_becomes_one_image_in_every_region_encrypted_shared_and_told(cloud: Cloud) -> None:
    predicted = ok(cloud.publish("--check", "--diff"))
    assert cloud.aws.changes() == []
    assert f"{NAME} would be copied to {EAST}, encrypted with {cloud.keys[EAST]}." in predicted.output
    assert f"shared with {ALICE}, {BOB}, and recorded in {cloud.map_file} and {PARAMETER}." in predicted.output

    ok(cloud.publish())
    asked = {call.region: call.parameters for call in cloud.aws.made("CopyImage")}  # moto ignores the keys
    assert {region: (call["Encrypted"], call["KmsKeyId"]) for region, call in asked.items()} == {
        WEST: ("true", "alias/ami"),
        EAST: ("true", cloud.keys[EAST]),
    }
    image = require_images(cloud)
    require_backup(cloud, image[HOME])


@pytest.mark.slow
def test_an_interrupted_publish_is_continued(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: a publish is interrupted after an image, a copy or a backup was made. Outcome: the next run continues with
    what is there, and every region has one image.
    """
    cloud.aws.lose_answer("CopyImage", EAST)  # the copy is there, and nothing that comes after
    assert cloud.publish().status != 0
    assert len(cloud.aws.made("CopyImage")) == 2
    assert not cloud.map_file.exists()
    assert [len(cloud.images(region)) for region in (HOME, WEST, EAST)] == [1, 1, 1]

    ec2_backends[DEFAULT_ACCOUNT_ID][HOME].reservations.clear()  # the instance is gone, and nobody else knows the base
    with monkeypatch.context() as later:
        later.setattr(EBSBackend, "copy_snapshot", break_copy)
        broken = cloud.publish()
    assert broken.status != 0
    assert f"in {WEST} is in state error (Given key ID is not accessible): run the play again" in broken.output
    assert not cloud.aws.made("CreateImage") + cloud.aws.made("CopyImage")
    image = require_images(cloud)

    # Otherwise nothing is left to do.
    withdrawn = ok(cloud.publish(accounts=[ALICE], backup_keep=1, prune_confirmed=True))
    assert [task.removeprefix("slipway.platform.ami_publish : ") for task in withdrawn.changed("localhost")] == [
        "Sharing | Set the accounts that may launch the images",
        "Backup | Copy snapshots that have no backup",
        "Prune | Delete snapshots that no image uses any more",
    ]
    require_backup(cloud, image[HOME])
    assert {frozenset(cloud.allowed(region, made["ImageId"])) for region, made in image.items()} == {frozenset({ALICE})}


@pytest.mark.slow
def test_nothing_is_made_twice_wherever_a_publish_is_interrupted(cloud: Cloud) -> None:
    """Fault: a publish is interrupted after an image, a copy or a backup was made. Outcome: the next run continues with
    what is there, and every region has one image.
    """
    for action, region in (("CreateImage", HOME), ("CopySnapshot", WEST)):
        cloud.aws.lose_answer(action, region)
        assert cloud.publish().status != 0
        assert cloud.aws.made(action)
    ok(cloud.publish())
    assert cloud.aws.changes() == []
    require_images(cloud)
    backups = cloud.ec2[WEST].describe_snapshots(Filters=[{"Name": "tag-key", "Values": ["slipway:backup-of"]}])
    assert len(backups["Snapshots"]) == 1


@pytest.mark.slow
def test_an_image_is_registered_from_a_snapshot_which_is_shared_until_that_is_withdrawn(cloud: Cloud) -> None:
    snapshot = cloud.make_snapshot(Encrypted=True, KmsKeyId=cloud.keys[HOME])
    ok(cloud.run(source=snapshot, name=NAME, base=BASE, accounts=[ALICE], share_snapshots=True))
    (asked,) = (call.parameters for call in cloud.aws.made("RegisterImage"))
    assert asked["BlockDeviceMapping.1.Ebs.SnapshotId"] == snapshot
    assert asked["RootDeviceName"] == asked["BlockDeviceMapping.1.DeviceName"] == "/dev/xvda"
    (image,) = cloud.images(HOME)
    assert cloud.tags(HOME, image["ImageId"])["slipway:base"] == BASE
    assert snapshot_of(image) == snapshot
    assert cloud.copiers(HOME, snapshot) == {ALICE}

    ok(cloud.run(source=snapshot, name=NAME, base=BASE, accounts=[ALICE]))
    assert cloud.copiers(HOME, snapshot) == set()
    assert cloud.allowed(HOME, image["ImageId"]) == {ALICE}


@pytest.mark.slow
def test_an_image_that_packer_has_made_is_published_as_it_is(cloud: Cloud) -> None:
    made = cloud.ec2[HOME].create_image(InstanceId=cloud.instance, Name=NAME)["ImageId"]
    ok(cloud.run(source=made, name=NAME, regions=[WEST], kms_keys={WEST: "alias/ami"}))
    assert [image["ImageId"] for image in cloud.images(HOME)] == [made]
    (copy,) = cloud.images(WEST)
    assert json.loads(cloud.map_file.read_text()) == {HOME: made, WEST: copy["ImageId"]}


def test_what_cannot_be_wished_for_is_refused_at_once_without_asking_aws(cloud: Cloud) -> None:
    """Fault: regions and keys that do not match, malformed names and accounts. Outcome: refused before AWS is asked."""
    message = cloud.aws.refused(
        cloud.run(
            family="docker el9",
            source="instance-1",
            name="a*",
            tags={"aws:created": "today"},
            regions=[WEST, EAST],
            kms_keys={WEST: "alias/aws/ebs", "mars-1": "alias/ami"},
            accounts=["11112222333"],
            backup_region=EAST,
            backup_kms_key=cloud.keys[WEST],
        ),
    )
    assert cloud.aws.calls == []
    for sentence in (
        "ami_publish_family 'docker el9' is invalid",
        "ami_publish_source 'instance-1' is invalid",
        "ami_publish_name 'a*' is not a valid image name",
        "ami_publish_tags has aws:created",
        f"ami_publish_regions contains {EAST}, but ami_publish_kms_keys has no key for it",
        "ami_publish_kms_keys has a key for mars-1, which is not in ami_publish_regions",
        f"key alias/aws/ebs in {WEST} is an AWS managed key",
        "'11112222333' in ami_publish_accounts is not an AWS account ID",
        f"key {cloud.keys[WEST]} is set for {EAST} but belongs to another region",
    ):
        assert sentence in message


def test_what_aws_has_not_or_has_already_is_refused_before_anything_is_made(cloud: Cloud) -> None:
    """Fault: an image name that is taken; keys, regions and sources that do not exist. Outcome: refused; nothing is
    made.
    """
    taken = cloud.ec2[WEST].register_image(Name=NAME)["ImageId"]
    cloud.aws.client("kms", EAST).disable_key(KeyId=cloud.keys[EAST].split("/")[1])
    message = cloud.aws.refused(
        cloud.publish(
            source="i-0123456789abcdef0",
            regions=[WEST, EAST, "mars-1"],
            kms_keys={WEST: "alias/none", EAST: "alias/ami", "mars-1": "alias/ami"},
        ),
    )
    for sentence in (
        "region 'mars-1' does not exist",
        f"i-0123456789abcdef0 does not exist in {HOME}",
        f"image {taken} in {WEST} is already named {NAME}",
        f"key alias/none does not exist in {WEST}",
        f"key alias/ami in {EAST} is in state Disabled",
    ):
        assert sentence in message


@pytest.mark.slow
def test_an_instance_that_runs_or_whose_volume_the_default_key_encrypts_is_refused(cloud: Cloud) -> None:
    """Fault: a running instance; a volume that AWS' default key encrypts, shared with other accounts. Outcome: refused;
    nothing is made.
    """
    default = cloud.aws.client("kms", HOME).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    running = cloud.launch(BASE, Encrypted=True, KmsKeyId=default)
    cloud.ec2[HOME].create_image(InstanceId=cloud.instance, Name=NAME, Description=f"other [from {cloud.instance}]")
    cloud.aws.calls.clear()
    message = cloud.aws.refused(cloud.run(source=running, name="docker-el9-20260802", accounts=[ALICE]))
    assert f"instance {running} is running" in message
    assert f"key {default} in {HOME} is an AWS managed key" in message
    message = cloud.aws.refused(cloud.run(source=running, name=NAME))
    assert f"was not made from {running}" in message


@pytest.mark.slow
def test_what_is_not_encrypted_is_shared_with_nobody(cloud: Cloud) -> None:
    """Fault: an unencrypted image is to be shared with other accounts. Outcome: refused; nothing is made."""
    snapshot, instance = cloud.make_snapshot(), cloud.launch(BASE)
    cloud.ec2[HOME].stop_instances(InstanceIds=[instance])
    image = cloud.ec2[HOME].create_image(InstanceId=instance, Name=NAME)["ImageId"]
    for source in (snapshot, instance, image):
        name = NAME if source == image else "docker-el9-20260802"
        message = cloud.aws.refused(cloud.run(source=source, name=name, accounts=[ALICE]))
        assert f"in {HOME} is not encrypted, and ami_publish_accounts would get an unencrypted image" in message
    ok(cloud.run("--check", source=snapshot, name="docker-el9-20260802"))


@pytest.mark.slow
def test_a_snapshot_of_another_account_is_no_source(cloud: Cloud) -> None:
    """Fault: the source is a snapshot of another account. Outcome: refused; nothing is made."""
    snapshot = cloud.make_snapshot()
    ec2_backends[DEFAULT_ACCOUNT_ID][HOME].snapshots[snapshot].owner_id = ALICE
    message = cloud.aws.refused(cloud.run(source=snapshot, name=NAME))
    assert f"{snapshot} does not exist in {HOME}, or another account owns it" in message


def test_without_credentials_or_boto3_one_sentence_says_so(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: no boto3 or no credentials when an image is published. Outcome: one sentence."""
    venv.create(tmp_path / "bare")
    bare = str(tmp_path / "bare/bin/python")
    assert f"boto3 is missing in {bare}" in cloud.aws.refused(cloud.run(ansible_python_interpreter=bare))
    for name in KEYS:
        monkeypatch.delenv(name.upper())
    assert "no usable AWS credentials" in cloud.aws.refused(cloud.run())


def age(image: str, days: int) -> None:
    """Make an image look older than it is, which AWS itself has no call for."""
    backend = ec2_backends[DEFAULT_ACCOUNT_ID][HOME]
    backend.amis[image].creation_date = utcnow() - timedelta(days=days)


def bake(cloud: Cloud, name: str, days: int, base: str = BASE) -> str:
    """An image of the family as a run of the role leaves it, so many days old."""
    image: str = cloud.ec2[HOME].create_image(InstanceId=cloud.instance, Name=name)["ImageId"]
    (snapshot,) = (snapshot_of(made) for made in cloud.images(HOME) if made["ImageId"] == image)
    tags = {"slipway:family": FAMILY, "slipway:image": name, "slipway:base": base}
    cloud.ec2[HOME].create_tags(
        Resources=[image, snapshot], Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )
    age(image, days)
    return image


@pytest.mark.slow
def test_prune_takes_what_is_old_and_used_by_nobody_and_only_when_confirmed(cloud: Cloud) -> None:
    """Fault: an old image is used by an instance, template, configuration or parameter, or belongs to somebody else.
    Outcome: it is not pruned.
    """
    ec2 = cloud.ec2[HOME]
    old = bake(cloud, "old", 200)
    kept = {
        "instance": bake(cloud, "of-an-instance", 190),
        "template": bake(cloud, "of-an-old-version-of-a-template", 180),
        "configuration": bake(cloud, "of-a-configuration", 170),
        "parameter": bake(cloud, "of-a-parameter", 160),
        "young": bake(cloud, "young", 80),
        "newest": bake(cloud, "newest", 70),
        "somebody's": ec2.create_image(InstanceId=cloud.instance, Name="of-somebody-else")["ImageId"],
    }
    age(kept["somebody's"], 300)
    instance = cloud.launch(kept["instance"])
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": kept["template"]})
    by_name = {"ImageId": "resolve:ssm:/site/image"}
    ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData=by_name)
    cloud.aws.client("ssm", HOME).put_parameter(Name="/site/image", Value=kept["parameter"], Type="String")
    cloud.aws.client("autoscaling", HOME).create_launch_configuration(
        LaunchConfigurationName="web", ImageId=kept["configuration"], InstanceType="t3.micro"
    )
    (snapshot,) = (snapshot_of(image) for image in cloud.images(HOME) if image["ImageId"] == old)
    policy = {"prune_keep": 1, "prune_days": 90}

    dry = ok(cloud.run(**policy, report_days=30))
    assert cloud.aws.changes() == []
    told = next(
        result["msg"]
        for task, result in dry.results("localhost")
        if task.endswith("List what to delete and what to keep")
    )
    (doomed,) = (items for name, items in told.items() if name.startswith("would delete"))
    assert [item["id"] for item in doomed] == [old, snapshot]
    assert {item["id"]: item["reason"] for item in told["keep"]} == {
        kept["instance"]: "in use by instance " + instance,
        kept["template"]: "in use by launch template web version 1",
        kept["configuration"]: "in use by launch configuration web",
        kept["parameter"]: "in use by parameter /site/image",
        kept["young"]: "younger than ami_publish_prune_days",
        kept["newest"]: "one of the newest",
    }
    assert "is gone or deprecated by its owner" in dry.output

    cloud.aws.lose_answer("GetParameter", HOME)
    denied = cloud.run("--tags", "ami_publish_prune", **policy, prune_confirmed=True)
    assert denied.failure("localhost") == (
        "the credentials may not read parameter /site/image: allow ssm:GetParameter on it in their policy "
        "(docs/iam). Nothing was pruned."
    )
    assert cloud.aws.changes() == []

    ok(cloud.run(**policy, prune_confirmed=True))
    assert cloud.aws.changes() == ["DeregisterImage", "DeleteSnapshot"]
    assert {image["ImageId"] for image in cloud.images(HOME)} == set(kept.values())
    assert not ec2.describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": [snapshot]}])["Snapshots"]


def test_the_policy_of_the_guide_allows_the_calls_that_were_made(played: set[tuple[str, str]]) -> None:
    assert iam_policies.denied("ami-publish", played) <= DISPENSABLE


@pytest.mark.slow
def test_the_policy_of_the_guide_allows_no_others(played: set[tuple[str, str]], request: pytest.FixtureRequest) -> None:
    iam_policies.require_all_calls(request)
    assert iam_policies.denied("ami-publish", played) == DISPENSABLE
    assert iam_policies.unused("ami-publish", played) == NEVER_CALLED
