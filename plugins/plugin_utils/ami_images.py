# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""List AMIs and their snapshots."""


def resources(images, kinds=("image", "snapshot")):
    """Return the images and their snapshots, each with its region. images: dict of images by region."""
    found = []
    for region, image in images.items():
        found.append({"region": region, "id": image["image_id"], "kind": "image"})
        found += [{"region": region, "id": snapshot, "kind": "snapshot"} for snapshot in snapshots_of(image)]
    return [resource for resource in found if resource["kind"] in kinds]


def snapshots_of(image):
    """Return the IDs of an image's snapshots."""
    devices = [device.get("ebs", {}) for device in image.get("block_device_mappings", [])]
    return [device["snapshot_id"] for device in devices if device.get("snapshot_id")]
