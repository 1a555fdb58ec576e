# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Choose the backup of an image to restore, and check that it is what it should be."""

import json
import re

from ansible_collections.slipway.platform.plugins.plugin_utils import ami_request, setting_types
from ansible_collections.slipway.platform.plugins.plugin_utils.ami_prune import BACKUP, FAMILY, IMAGE, parse_time

SNAPSHOT = re.compile(r"\Asnap-[0-9a-f]{8,17}\Z")
SOURCE = "slipway:source"
# Set by ami_publish_tags: the SHA-256 digest of the image's package manifest.
DIGEST = "manifest-sha256"
NUMBERS = ("size", "max_size", "timeout")
TEXTS = ("region", "family", "image", "snapshot", "map_file", "manifest", "root_device", "parameter")


def problems(request):
    """Return one sentence for each invalid setting. request: settings without their prefix, and fleet_variables, the
    names of variables of ami_fleet that the role sets itself.
    """
    found = setting_types.problems(request, "ami_restore_{}", texts=TEXTS, numbers=NUMBERS)
    if found:
        return found
    request = dict(request, **{name: setting_types.number(request[name]) for name in NUMBERS})
    return [*_backup_problems(request), *_file_problems(request), *_fleet_problems(request)]


def _backup_problems(request):
    if not request["region"]:
        yield "ami_restore_region is empty: set it to the ami_publish_backup_region of the image, for example eu-west-1"
    if not ami_request.FAMILY.match(request["family"]):
        yield (
            f"ami_restore_family '{request['family']}' is invalid: set it to the ami_publish_family of the image, for "
            "example docker-el9"
        )
    if request["snapshot"] and not SNAPSHOT.match(request["snapshot"]):
        yield f"ami_restore_snapshot '{request['snapshot']}' is malformed: use an ID such as snap-0123456789abcdef0"
    if not request["parameter"].startswith("/") or not ami_request.PARAMETER.match(request["parameter"]):
        yield (
            f"ami_restore_parameter '{request['parameter']}' is not an SSM parameter path: use one such as "
            "/slipway/ami/restored/docker-el9"
        )
    if request["timeout"] < 1:
        yield f"ami_restore_timeout {request['timeout']} is invalid: set minutes, at least 1"


def _file_problems(request):
    for variable, key in (("map_file", "map"), ("manifest", "manifest_digest")):
        if request[variable] and request[key] is None:
            yield f"ami_restore_{variable} {request[variable]} does not exist: correct the path, or empty it"
    if request["map_file"] and request["map"] is not None and _named(request["map"]) is None:
        yield f"ami_restore_map_file {request['map_file']} is not a map of images by region: set ami_publish_map_file's"


def _fleet_problems(request):
    least, most = request["size"], request["max_size"]
    if not 1 <= least <= most:
        yield (
            f"ami_restore_size {least} and ami_restore_max_size {most} are invalid: set a size of at least 1 and a "
            "maximum of at least the size"
        )
    for name in request["fleet_variables"]:
        yield f"{name} is set, but the restored fleet gets it from ami_restore: use a file of variables of its own"


def _named(text):
    """Return the images that a map of ami_publish names, None if it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return list(found.values()) if isinstance(found, dict) else None


def choice(snapshots, request):
    """Return the snapshots of the image to restore: those with the ID or the image's name, else of the newest image."""
    if request["snapshot"]:
        return [item for item in snapshots if item["snapshot_id"] == request["snapshot"]]
    complete = [item for item in snapshots if item["state"] == "completed" and IMAGE in _tags(item)]
    complete.sort(key=lambda item: parse_time(item["start_time"]), reverse=True)
    image = request["image"] or next((_tags(item)[IMAGE] for item in complete), "")
    by_disk = {}
    for item in complete:
        if _tags(item)[IMAGE] == image:  # of several backups of one disk, the newest
            by_disk.setdefault(_tags(item).get(BACKUP), item)
    return list(by_disk.values())


def state_problems(request, chosen, account, images):
    """Return one sentence for each reason not to restore. chosen: of choice(). images: those restored before."""
    region = request["region"]
    if not chosen:
        return [
            f"snapshot {request['snapshot']} does not exist in {region}, or is not shared with this account: check "
            "ami_restore_snapshot"
            if request["snapshot"]
            else f"no complete backup of {request['image'] or request['family']} exists in {region}: check "
            "ami_restore_family, ami_restore_image and ami_restore_region, and set ami_publish_backup_region"
        ]
    if len(chosen) > 1:
        return [
            f"image {_tags(chosen[0])[IMAGE]} has {len(chosen)} disks: set ami_restore_snapshot to the backup of its "
            f"root, one of {', '.join(sorted(item['snapshot_id'] for item in chosen))}"
        ]
    found = _snapshot_problems(request, chosen[0], account)
    if not found:
        found = _content_problems(request, chosen[0])
    return found + [
        f"image {image['image_id']} in {region} is in state {image['state']}: deregister it and run the play again"
        for image in images
        if image["state"] not in ("available", "pending")
    ]


def _snapshot_problems(request, snapshot, account):
    name, tags, owner = snapshot["snapshot_id"], _tags(snapshot), snapshot["owner_id"]
    if owner != account:
        return [
            f"snapshot {name} belongs to account {owner}, which decides what is in it: restore a backup that this "
            f"account, {account}, has made"
        ]
    missing = [key for key in (FAMILY, IMAGE, SOURCE, BACKUP) if not tags.get(key)]
    if missing:
        return [
            f"snapshot {name} lacks the tag {missing[0]}, which every backup of ami_publish has: choose another "
            "ami_restore_snapshot"
        ]
    if tags[FAMILY] != request["family"]:
        return [f"snapshot {name} is of the family {tags[FAMILY]}, not of {request['family']}: correct one of the two"]
    if snapshot["state"] != "completed":
        return [f"snapshot {name} is {snapshot['state']}: wait until it is completed, or choose another one"]
    if not snapshot["encrypted"]:
        return [f"snapshot {name} is not encrypted, as every backup of ami_publish is: choose another one"]
    return []


def _content_problems(request, snapshot):
    """Compare the backup with what the publish has recorded on the controller."""
    name, tags = snapshot["snapshot_id"], _tags(snapshot)
    found = []
    if request["map_file"] and tags[SOURCE] not in _named(request["map"]):
        found.append(
            f"snapshot {name} was made from {tags[SOURCE]}, which {request['map_file']} does not name: it is a backup "
            "of another image"
        )
    if request["manifest"] and DIGEST not in tags:
        found.append(
            f"snapshot {name} has no tag {DIGEST} to compare with {request['manifest']}: publish with it in "
            "ami_publish_tags, or empty ami_restore_manifest"
        )
    elif request["manifest"] and tags[DIGEST] != request["manifest_digest"]:
        found.append(
            f"snapshot {name} is of an image whose manifest has the SHA-256 digest {tags[DIGEST]}, but "
            f"{request['manifest']} has {request['manifest_digest']}: it is the manifest of another image"
        )
    return found


def _tags(item):
    return item.get("tags") or {}
