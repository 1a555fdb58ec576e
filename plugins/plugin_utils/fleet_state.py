# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Compare a fleet's settings with what exists on AWS: missing prerequisites, drift and stale instances."""

from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_spread


def problems(request, state):
    """Return one sentence for each obstacle to launching instances."""
    region = request["region"]
    found = _image_problems(request, state["image"], state["images"])
    if request["profile"] and not state["profiles"]:
        found.append(f"instance profile {request['profile']} does not exist: check ami_fleet_instance_profile")
    subnets = {subnet["id"] for subnet in state["subnets"]}
    groups = {group["group_id"] for group in state["security_groups"]}
    found += [
        f"subnet {name} does not exist in {region}: check ami_fleet_subnets"
        for name in request["subnets"]
        if name not in subnets
    ]
    found += [
        f"security group {name} does not exist in {region}: check ami_fleet_security_groups"
        for name in request["security_groups"]
        if name not in groups
    ]
    return [*found, *fleet_spread.state_problems(request, state["subnets"], state["own_groups"])]


def _image_problems(request, image, found):
    parameter, region = request["parameter"], request["region"]
    if not image:
        return [
            f"parameter {parameter} does not exist in {region}: publish an image with ami_publish_parameter, or check "
            "ami_fleet_parameter"
        ]
    if not found:
        return [
            f"parameter {parameter} in {region} is '{image}', which is either not an image that this account may "
            "launch, or not owned by one of ami_fleet_image_owners: publish one with ami_publish_parameter, or add its "
            "owner"
        ]
    if found[0]["state"] != "available":
        return [
            f"image {image}, named by parameter {parameter}, is in state {found[0]['state']}: wait until it is "
            "available, or publish another one"
        ]
    return _root_problems(request["root_size"], found[0])


def _root_problems(size, image):
    root = image["root_device_name"]
    disks = {disk["device_name"]: disk.get("ebs", {}) for disk in image["block_device_mappings"]}
    least = disks.get(root, {}).get("volume_size", 0)
    if size >= least:
        return []
    return [
        f"ami_fleet_root_size is {size}, but {root} of image {image['image_id']} has {least} GiB and cannot shrink: "
        f"set at least {least}"
    ]


def drift(group, wanted):
    """Return the names of settings that differ; group: as returned by amazon.aws.autoscaling_group_info."""
    mixed = group.get("mixed_instances_policy") or {}
    template = mixed.get("launch_template", {})
    shares = mixed.get("instances_distribution", {})
    present = {
        **group,
        "subnets": [subnet for subnet in group.get("vpc_zone_identifier", "").split(",") if subnet],
        "target_groups": group.get("target_group_arns", []),
        "tags": {tag["key"]: tag["value"] for tag in group.get("tags", [])},
        "version": template.get("launch_template_specification", group.get("launch_template", {})).get("version"),
        "instance_types": [item["instance_type"] for item in template.get("overrides", [])],
        "on_demand": [
            shares.get("on_demand_base_capacity", 0),
            shares.get("on_demand_percentage_above_base_capacity", 100),
        ],
    }
    return [name for name in wanted if _normal(present.get(name)) != _normal(wanted[name])]


def _normal(value):
    """Sort lists, whose order AWS does not preserve."""
    return sorted(value) if isinstance(value, list) else value


def stale(group, instances, version, image):
    """Return the IDs of instances with another template version or image; terminating ones are ignored."""
    images = {instance["instance_id"]: instance["image_id"] for instance in instances}
    return [
        member["instance_id"]
        for member in group.get("instances", [])
        if not member["lifecycle_state"].startswith("Terminat")
        and (member.get("launch_template", {}).get("version"), images.get(member["instance_id"])) != (version, image)
    ]
