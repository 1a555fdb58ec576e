# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Select the images and snapshots of a family to delete."""

from datetime import datetime, timedelta, timezone

from ansible_collections.slipway.platform.plugins.plugin_utils.ami_images import snapshots_of

FAMILY = "slipway:family"
IMAGE = "slipway:image"
BACKUP = "slipway:backup-of"


def plan(images, snapshots, instances, templates, configurations, parameters, policy, now=None):
    """Return the images and snapshots to delete, and the images to keep with the reason, in all regions.

    images to parameters: results of loops over the same regions. An image is deleted if it is unused, not among the
    newest and older than the limit. policy: family, keep, days, backup_keep; with keep 0 no image is deleted, with
    backup_keep 0 no backup.
    """
    plans = []
    for image, snapshot, instance, template, configuration, parameter in zip(
        images, snapshots, instances, templates, configurations, parameters, strict=True
    ):
        own = {"images": image["images"], "snapshots": snapshot["snapshots"]}
        in_use = users(
            instance["instances"],
            template["launch_templates"],
            configuration["launch_configurations"],
            parameter["msg"],
        )
        plans.append((image["item"], plan_of_region(own, in_use, policy, now)))
    return {
        kind: [dict(item, region=region) for region, found in plans for item in found[kind]]
        for kind in ("images", "snapshots", "kept")
    }


def plan_of_region(own, in_use, policy, now=None):
    """Return the same for one region.

    own: the account's images and snapshots. in_use: a user of each image in use, by image ID.
    """
    limit = (now or datetime.now(timezone.utc)) - timedelta(days=policy["days"])
    family = [image for image in own["images"] if policy["keep"] and image["tags"].get(FAMILY) == policy["family"]]
    family.sort(key=lambda image: image["creation_date"], reverse=True)
    newest = [image["image_id"] for image in family if image["state"] == "available"][: policy["keep"]]
    reasons = {image["image_id"]: _reason_to_keep(image, in_use, newest, limit) for image in family}
    doomed = {image for image, reason in reasons.items() if not reason}
    needed = {
        snapshot for image in own["images"] if image["image_id"] not in doomed for snapshot in snapshots_of(image)
    }
    expired = _snapshots(own, family, doomed, policy, limit) + _backups(own["snapshots"], policy)
    described = [{"id": image["image_id"], "name": image["name"]} for image in family]
    return {
        "images": [image for image in described if image["id"] in doomed],
        "kept": [dict(image, reason=reasons[image["id"]]) for image in described if image["id"] not in doomed],
        "snapshots": [{"id": snapshot} for snapshot in dict.fromkeys(expired) if snapshot not in needed],
    }


def _reason_to_keep(image, in_use, newest, limit):
    if image["image_id"] in in_use:
        return "in use by " + in_use[image["image_id"]]
    if image["state"] != "available":
        return image["state"]
    if image["image_id"] in newest:
        return "one of the newest"
    if parse_time(image["creation_date"]) > limit:
        return "younger than ami_publish_prune_days"
    return ""


def _snapshots(own, family, doomed, policy, limit):
    """Return the snapshots of images to delete, and old ones, whose image may be gone already."""
    if not policy["keep"]:
        return []
    old = [
        item["snapshot_id"]
        for item in own["snapshots"]
        if _tags(item).get(FAMILY) == policy["family"]
        and BACKUP not in _tags(item)
        and parse_time(item["start_time"]) <= limit
    ]
    with_images = [snapshot for image in family if image["image_id"] in doomed for snapshot in snapshots_of(image)]
    return with_images + old


def _backups(snapshots, policy):
    """Return failed backups, and those of all but the newest images; an image can have several snapshots."""
    if not policy["backup_keep"]:
        return []
    backups = [item for item in snapshots if _tags(item).get(FAMILY) == policy["family"] and BACKUP in _tags(item)]
    completed = [item for item in backups if item["state"] == "completed"]
    completed.sort(key=lambda item: item["start_time"], reverse=True)
    kept = list(dict.fromkeys(_tags(item)[IMAGE] for item in completed))[: policy["backup_keep"]]
    surplus = [item for item in completed if _tags(item)[IMAGE] not in kept]
    return [item["snapshot_id"] for item in backups if item["state"] == "error" or item in surplus]


def users(instances, templates, configurations, parameters):
    """Return a user of each image in use, by image ID. parameters: image IDs by SSM parameter name."""
    used = {instance["image_id"]: "instance " + instance["instance_id"] for instance in instances}
    used.update(
        (item["image_id"], "launch configuration " + item["launch_configuration_name"]) for item in configurations
    )
    for template in templates:
        for version in template["versions"]:
            name = "launch template {} version {}".format(template["launch_template_name"], version["version_number"])
            used[version["launch_template_data"].get("image_id", "")] = name
    used.update((image, "parameter " + name) for name, image in parameters.items())
    return used


def parse_time(text):
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))


def _tags(item):
    return item.get("tags") or {}
