# SPDX-License-Identifier: Apache-2.0
"""Image features that moto 5.2 lacks: real snapshots of images, and the end of sharing a snapshot.

moto backs every image with a new, unencrypted snapshot. Copies still have one: check the calls of CopyImage.
"""

from typing import Any

import pytest
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

take_snapshot = EBSBackend.create_snapshot
make_image = AmiBackend.create_image
name_image = AmisResponse.register_image


def create_snapshot(backend: Any, *asked: Any, **options: Any) -> Snapshot:
    """Encrypt a snapshot with the key of its volume."""
    snapshot = take_snapshot(backend, *asked, **options)
    snapshot.kms_key_id = snapshot.volume.kms_key_id
    return snapshot


def create_image(backend: Any, instance_id: str, *asked: Any, **options: Any) -> Ami:
    """Back an image with a snapshot of the instance's disk."""
    image = make_image(backend, instance_id, *asked, **options)
    (disk,) = backend.get_instance(instance_id).block_device_mapping.values()
    place(image, backend.create_snapshot(disk.volume_id, image.ebs_snapshot.description, from_ami=image.id))
    return image


def register_image(response: Any) -> ActionResult:
    """Back an image with the snapshot that it is registered with, if any."""
    registered = name_image(response)
    backend = response.ec2_backend
    result: Any = registered.result
    for disk in response._get_param("BlockDeviceMappings", []):
        place(backend.amis[result["ImageId"]], backend.get_snapshot(disk["Ebs"]["SnapshotId"]))
    return registered


def place(image: Any, snapshot: Snapshot) -> None:
    del image.ec2_backend.snapshots[image.ebs_snapshot.id]
    image.ebs_snapshot = snapshot


def reset_snapshot_attribute(response: Any) -> EmptyResult:
    """Stop sharing the snapshot."""
    snapshot = response.ec2_backend.get_snapshot(response._get_param("SnapshotId"))
    snapshot.create_volume_permission_userids.clear()
    snapshot.create_volume_permission_groups.clear()
    return EmptyResult()


def teach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch moto until the test ends."""
    monkeypatch.setattr(EBSBackend, "create_snapshot", create_snapshot)
    monkeypatch.setattr(AmiBackend, "create_image", create_image)
    monkeypatch.setattr(AmisResponse, "register_image", register_image)
    monkeypatch.setattr(ElasticBlockStore, "reset_snapshot_attribute", reset_snapshot_attribute)
