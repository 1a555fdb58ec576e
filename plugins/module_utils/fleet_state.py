# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Judges what AWS has of a fleet: whether instances could be launched, and what of it is not as it should be."""


def problems(request, state):
    """One sentence for each reason not to begin, from what AWS answered."""
    region = request["region"]
    found = _image_problems(request, state["image"], state["images"])
    if request["profile"] and not state["profiles"]:
        found.append(f"instance profile {request['profile']} does not exist: look at ami_fleet_instance_profile")
    return [
        *found,
        *_missing(request["subnets"], [subnet["id"] for subnet in state["subnets"]], "subnet", region),
        *_missing(
            request["security_groups"],
            [group["group_id"] for group in state["security_groups"]],
            "security group",
            region,
        ),
    ]


def _image_problems(request, image, found):
    parameter, region = request["parameter"], request["region"]
    if not image:
        return [
            f"parameter {parameter} does not exist in {region}: publish an image with ami_publish_parameter, or look "
            "at ami_fleet_parameter"
        ]
    if not found:
        return [
            f"parameter {parameter} in {region} is '{image}', which is no image that this account may launch: publish "
            "one with ami_publish_parameter"
        ]
    if found[0]["state"] != "available":
        return [f"image {image}, which parameter {parameter} names, is {found[0]['state']}: wait, or publish another"]
    return _root_problems(request["root_size"], found[0])


def _root_problems(size, image):
    root = image["root_device_name"]
    disks = {disk["device_name"]: disk.get("ebs", {}) for disk in image["block_device_mappings"]}
    least = disks.get(root, {}).get("volume_size", 0)
    if size >= least:
        return []
    return [
        f"ami_fleet_root_size is {size}, and {root} of image {image['image_id']} has {least} GB, which AWS does not "
        f"shrink: say {least} or more"
    ]


def _missing(wanted, there, what, region):
    return [f"{what} {name} does not exist in {region}" for name in wanted if name not in there]


def drift(group, wanted):
    """The names of what differs between a group as amazon.aws.autoscaling_group_info tells it and what is wanted."""
    present = {
        **group,
        "subnets": [subnet for subnet in group.get("vpc_zone_identifier", "").split(",") if subnet],
        "target_groups": group.get("target_group_arns", []),
        "tags": {tag["key"]: tag["value"] for tag in group.get("tags", [])},
        "version": group.get("launch_template", {}).get("version"),
    }
    return [name for name in wanted if _normal(present.get(name)) != _normal(wanted[name])]


def _normal(value):
    """AWS keeps no order."""
    return sorted(value) if isinstance(value, list) else value


def stale(group, instances, version, image):
    """The ids of the group's instances that would not be launched so today; those that end already do not count."""
    images = {instance["instance_id"]: instance["image_id"] for instance in instances}
    return [
        member["instance_id"]
        for member in group.get("instances", [])
        if not member["lifecycle_state"].startswith("Terminat")
        and (member.get("launch_template", {}).get("version"), images.get(member["instance_id"])) != (version, image)
    ]
