# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decides which images and snapshots of a region have had their time."""

from datetime import datetime, timedelta, timezone

from ansible_collections.slipway.platform.plugins.module_utils.ami_images import snapshots_of

FAMILY = "slipway:family"
IMAGE = "slipway:image"
BACKUP = "slipway:backup-of"


def plan(images, snapshots, instances, templates, configurations, parameters, policy, now=None):
    """What of a family goes, what stays and why, in all regions.

    Each is the list of the results of a loop over the same regions. An image goes when it is neither among the newest
    nor younger than the limit, and nobody uses it. policy: family, keep, days, backup_keep; where one of the numbers to
    keep is 0, none of these goes.
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
    """The same for one region. own: the account's images and snapshots. in_use: who uses which image, by its id."""
    limit = (now or datetime.now(timezone.utc)) - timedelta(days=policy["days"])
    family = [image for image in own["images"] if policy["keep"] and image["tags"].get(FAMILY) == policy["family"]]
    family.sort(key=lambda image: image["creation_date"], reverse=True)
    newest = [image["image_id"] for image in family if image["state"] == "available"][: policy["keep"]]
    reasons = {image["image_id"]: _reason_to_stay(image, in_use, newest, limit) for image in family}
    gone = {image for image, reason in reasons.items() if not reason}
    needed = {snapshot for image in own["images"] if image["image_id"] not in gone for snapshot in snapshots_of(image)}
    had_their_time = _snapshots(own, family, gone, policy, limit) + _backups(own["snapshots"], policy)
    described = [{"id": image["image_id"], "name": image["name"]} for image in family]
    return {
        "images": [image for image in described if image["id"] in gone],
        "kept": [dict(image, because=reasons[image["id"]]) for image in described if image["id"] not in gone],
        "snapshots": [{"id": snapshot} for snapshot in dict.fromkeys(had_their_time) if snapshot not in needed],
    }


def _reason_to_stay(image, in_use, newest, limit):
    if image["image_id"] in in_use:
        return "in use by " + in_use[image["image_id"]]
    if image["state"] != "available":
        return image["state"]
    if image["image_id"] in newest:
        return "one of the newest"
    if moment(image["creation_date"]) > limit:
        return "young"
    return ""


def _snapshots(own, family, gone, policy, limit):
    """Those of the images that go, and those whose image went before."""
    if not policy["keep"]:
        return []
    left = [
        item["snapshot_id"]
        for item in own["snapshots"]
        if _tags(item).get(FAMILY) == policy["family"]
        and BACKUP not in _tags(item)
        and moment(item["start_time"]) <= limit
    ]
    with_images = [snapshot for image in family if image["image_id"] in gone for snapshot in snapshots_of(image)]
    return with_images + left


def _backups(snapshots, policy):
    """Those that AWS could not make, and those of all but the newest images; an image may have several snapshots."""
    if not policy["backup_keep"]:
        return []
    backups = [item for item in snapshots if _tags(item).get(FAMILY) == policy["family"] and BACKUP in _tags(item)]
    whole = [item for item in backups if item["state"] == "completed"]
    whole.sort(key=lambda item: item["start_time"], reverse=True)
    kept = list(dict.fromkeys(_tags(item)[IMAGE] for item in whole))[: policy["backup_keep"]]
    surplus = [item for item in whole if _tags(item)[IMAGE] not in kept]
    return [item["snapshot_id"] for item in backups if item["state"] == "error" or item in surplus]


def users(instances, templates, configurations, parameters):
    """Who uses which image: a dict of ids. parameters: the images that parameters name."""
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


def moment(text):
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))


def _tags(item):
    return item.get("tags") or {}
