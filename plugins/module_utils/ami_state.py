# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Judges what AWS has already: whether a publish can begin, or go on where another run was interrupted."""

from ansible_collections.slipway.platform.plugins.module_utils.ami_request import unshareable

USABLE = ("available", "pending")


def problems(request, regions, source, images, keys):
    """One sentence for each reason not to begin, from what AWS answered.

    regions: names of those that the account may use. source: what is to be published, None if it was not found. images:
    lists of own images of that name, by region. keys: results of a loop over pairs of region and key.
    """
    found = _region_problems(request, regions)
    if request["source"]:
        made = [] if request["source"].startswith("ami-") else images.get(request["region"], [])
        if not made:  # otherwise it is no longer needed
            found += _source_problems(request, source)
        home = (made or [source])[0] or {}
        found += _image_problems(request, made, request["region"], request["source"])
        for region in request["regions"]:
            found += _image_problems(request, images.get(region, []), region, home.get("image_id"))
        found += [sentence for item in keys for sentence in _key_problems(request, item)]
    return found


def _region_problems(request, regions):
    named = dict.fromkeys([request["region"], *request["regions"], request["backup_region"]])
    return [
        f"region '{region}' does not exist, or the account has not enabled it: there are {', '.join(sorted(regions))}"
        for region in named
        if region and region not in regions
    ]


def _source_problems(request, source):
    wanted, region = request["source"], request["region"]
    if source is None:
        return [f"{wanted} does not exist in {region}, or is not yours: look at ami_publish_source"]
    state = source["state"]
    if wanted.startswith("i-") and state["name"] != "stopped":
        return [
            f"instance {wanted} is {state['name']}, and its image would have files half written: stop it first, "
            f"'aws ec2 stop-instances --instance-ids {wanted}'"
        ]
    if wanted.startswith("snap-") and state != "completed":
        return [f"snapshot {wanted} is {state}: wait until it is completed"]
    if wanted.startswith("ami-") and source["name"] != request["name"]:
        return [f"image {wanted} is called {source['name']}: set ami_publish_name to that"]
    return []


def _image_problems(request, images, region, made_from):
    """What speaks against going on with images of the name; each tells in its description what it was made from."""
    found = []
    for image in images:
        if f"[from {made_from}]" not in (image.get("description") or ""):
            found.append(
                f"image {image['image_id']} in {region} is called {request['name']} already, and was not made from "
                f"{made_from or request['source']}: choose another ami_publish_name, or deregister it"
            )
        elif image["state"] not in USABLE:
            found.append(
                f"image {image['image_id']} in {region} is {image['state']}: deregister it, and run the play again"
            )
    return found


def _key_problems(request, item):
    region, key = item["item"]
    details = next(iter(item["kms_keys"]), None)
    if not details:
        return [f"key {key} does not exist in {region}, or may not be looked at (kms:DescribeKey): look at its name"]
    if details["key_state"] != "Enabled":
        return [f"key {key} in {region} is {details['key_state']}: enable it, or name another"]
    of_aws = details.get("key_manager") == "AWS" or "aws/ebs" in details["aliases"]
    shared = region in [request["region"], *request["regions"]] and request["accounts"]
    return [unshareable(region, key)] if of_aws and shared else []
