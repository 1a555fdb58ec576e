# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check whether a publish can start, or resume an interrupted one, given what exists on AWS."""

from ansible_collections.slipway.platform.plugins.plugin_utils.ami_request import unshareable

USABLE = ("available", "pending")


def problems(request, regions, source, images, keys, unencrypted=()):
    """Return one sentence for each obstacle.

    regions: names of the regions enabled in the account. source: description of the source, None if it was not found.
    images: lists of the account's images with the requested name, by region. keys: results of a loop over pairs of
    region and key. unencrypted: IDs of unencrypted volumes and snapshots behind the image in its first region.
    """
    found = _region_problems(request, regions)
    if request["source"]:
        made = [] if request["source"].startswith("ami-") else images.get(request["region"], [])
        if not made:  # the source is not needed once the image exists
            found += _source_problems(request, source)
        home = (made or [source])[0] or {}
        found += _image_problems(request, made, request["region"], request["source"])
        for region in request["regions"]:
            found += _image_problems(request, images.get(region, []), region, home.get("image_id"))
        found += [sentence for item in keys for sentence in _key_problems(request, item)]
        found += _encryption_problems(request, unencrypted)
    return found


def _region_problems(request, regions):
    named = dict.fromkeys([request["region"], *request["regions"], request["backup_region"]])
    return [
        f"region '{region}' does not exist or is not enabled in this account: enable it or use one of "
        f"{', '.join(sorted(regions))}"
        for region in named
        if region and region not in regions
    ]


def _source_problems(request, source):
    wanted, region = request["source"], request["region"]
    if source is None:
        return [f"{wanted} does not exist in {region}, or another account owns it: check ami_publish_source"]
    state = source["state"]
    if wanted.startswith("i-") and state["name"] != "stopped":
        return [
            f"instance {wanted} is {state['name']}, and an image of it could contain half-written files: stop it with "
            f"'aws ec2 stop-instances --region {region} --instance-ids {wanted}'"
        ]
    if wanted.startswith("snap-") and state != "completed":
        return [f"snapshot {wanted} is {state}: wait until it is completed, or use another one"]
    if wanted.startswith("ami-") and source["name"] != request["name"]:
        return [f"image {wanted} is named {source['name']}: set ami_publish_name to that name"]
    return []


def _image_problems(request, images, region, made_from):
    """Return why existing images cannot be reused; the description of each records what it was made from."""
    found = []
    for image in images:
        if f"[from {made_from}]" not in (image.get("description") or ""):
            found.append(
                f"image {image['image_id']} in {region} is already named {request['name']}, but was not made from "
                f"{made_from or request['source']}: choose another ami_publish_name or deregister that image"
            )
        elif image["state"] not in USABLE:
            found.append(
                f"image {image['image_id']} in {region} is in state {image['state']}: deregister it and run the play "
                "again"
            )
    return found


def _key_problems(request, item):
    region, key = item["item"]
    details = next(iter(item["kms_keys"]), None)
    if not details:
        return [f"key {key} does not exist in {region}, or kms:DescribeKey is denied: check its name and its policy"]
    if details["key_state"] != "Enabled":
        return [f"key {key} in {region} is in state {details['key_state']}: enable it or use another key"]
    aws_managed = details.get("key_manager") == "AWS" or "aws/ebs" in details["aliases"]
    shared = region in [request["region"], *request["regions"]] and request["accounts"]
    return [unshareable(region, key)] if aws_managed and shared else []


def _encryption_problems(request, unencrypted):
    """Return a sentence for each unencrypted resource of an image to share."""
    if not request["accounts"]:
        return []
    return [
        f"{item} in {request['region']} is not encrypted, and ami_publish_accounts would get an unencrypted image: "
        "bake on an encrypted disk, publish an encrypted copy ('aws ec2 copy-image --encrypted'), or empty "
        "ami_publish_accounts"
        for item in unencrypted
    ]
