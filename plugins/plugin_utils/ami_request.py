# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the settings of a publish without calling AWS."""

import os
import re

from ansible_collections.slipway.platform.plugins.plugin_utils import aws_tags, setting_types

NAME = re.compile(r"\A[A-Za-z0-9()\[\] ./\-'@_]{3,128}\Z")
FAMILY = re.compile(r"\A[A-Za-z0-9._\-]{1,128}\Z")
ACCOUNT = re.compile(r"\A[0-9]{12}\Z")
SOURCE = re.compile(r"\A(?:i|snap|ami)-[0-9a-f]{8,17}\Z")
KEY_ARN = re.compile(r"\Aarn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:")
# slipway:family, slipway:image and slipway:source, and slipway:base or slipway:backup-of.
OWN_TAGS = 4
# AWS limits a description to 255 characters; the source, such as " [from ami-0123456789abcdef0]", is appended to it.
LONGEST_DESCRIPTION = 255 - len(" [from snap-0123456789abcdef0]")
PARAMETER = re.compile(r"\A(?!/?(?i:aws|ssm))(?:[A-Za-z0-9_.-]+|(?:/[A-Za-z0-9_.-]+){1,15})\Z")
LONGEST_PARAMETER = 1011
# Prefix of AWS managed keys, which other accounts cannot use.
AWS_MANAGED = "alias/aws/"


def problems(request):
    """Return one sentence for each invalid setting."""
    keys = request.get("keys")
    if isinstance(keys, dict):  # an empty key is reported with its region
        keys = {region: key or "" for region, key in keys.items()}
    variables = dict(
        request,
        kms_keys=keys,
        backup_kms_key=request.get("backup_key"),
    )
    found = setting_types.problems(
        variables,
        "ami_publish_{}",
        texts=(
            *("family", "region", "source", "name", "description", "parameter", "map_file"),
            *("backup_region", "backup_kms_key"),
        ),
        lists=("regions", "accounts"),
        mappings=("tags", "kms_keys"),
    )
    if found:
        return found
    request = dict(variables, keys=keys)
    found = _family_problems(request) + _region_problems(request)
    if request["source"]:
        found += _image_problems(request) + _tag_problems(request["tags"]) + _key_problems(request)
        found += _account_problems(request) + _record_problems(request)
    return found


def _family_problems(request):
    if FAMILY.match(request["family"]):
        return []
    return [
        f"ami_publish_family '{request['family']}' is invalid: use letters, digits, '.', '_' and '-', for example "
        "docker-el9"
    ]


def _region_problems(request):
    region = request["region"]
    if not region:
        return ["ami_publish_region is empty: set it to the region to create images in, for example eu-central-1"]
    if region in request["regions"]:
        return [f"ami_publish_regions contains {region}, which is ami_publish_region: list only regions to copy to"]
    return []


def _image_problems(request):
    found = []
    if not SOURCE.match(request["source"]):
        found.append(
            f"ami_publish_source '{request['source']}' is invalid: set it to the ID of an instance (i-...), a snapshot "
            "(snap-...) or an image (ami-...)"
        )
    if not NAME.match(request["name"]):
        found.append(
            f"ami_publish_name '{request['name']}' is not a valid image name: use 3 to 128 letters, digits, spaces and "
            "()[]./-'@_, for example docker-el9-20260801"
        )
    if len(request["description"]) > LONGEST_DESCRIPTION:
        found.append(
            f"ami_publish_description has {len(request['description'])} characters, but AWS accepts at most "
            f"{LONGEST_DESCRIPTION} beside the source: shorten it"
        )
    return found


def _tag_problems(tags):
    return [
        f"ami_publish_tags has {key}, but the prefixes aws: and slipway: are reserved: rename the tag"
        for key in tags
        if key.lower().startswith(("aws:", "slipway:"))
    ] + aws_tags.problems("ami_publish_tags", tags, OWN_TAGS)


def _record_problems(request):
    """Check where the ID of the image is written once it exists."""
    found = []
    name, path = request["parameter"], request["map_file"]
    if name and (not PARAMETER.match(name) or len(name) > LONGEST_PARAMETER):
        found.append(
            f"ami_publish_parameter '{name}' is not a name that an SSM parameter can have: use a path of letters, "
            "digits, '.', '_' and '-' that does not start with aws or ssm, for example /slipway/ami/docker-el9"
        )
    folder = os.path.dirname(os.path.expanduser(path)) or "."
    if path and not os.path.isdir(folder):
        found.append(f"ami_publish_map_file is in {folder}, which is not a directory: create it or correct the path")
    return found


def _key_problems(request):
    keys, regions = request["keys"], request["regions"]
    found = [
        f"ami_publish_regions contains {region}, but ami_publish_kms_keys has no key for it: add one, since every "
        "copy is encrypted"
        for region in regions
        if not keys.get(region)
    ]
    found += [
        f"ami_publish_kms_keys has a key for {region}, which is not in ami_publish_regions: add the region or remove "
        "the key"
        for region in keys
        if region not in regions
    ]
    if request["backup_region"] and not request["backup_key"]:
        found.append(
            f"ami_publish_backup_kms_key is empty: set it to a key in {request['backup_region']}, since every backup "
            "is encrypted"
        )
    for region, key in keys.items():
        if key.startswith(AWS_MANAGED) and request["accounts"]:
            found.append(unshareable(region, key))
    backup = [(request["backup_region"], request["backup_key"])] if request["backup_region"] else []
    for region, key in [*keys.items(), *backup]:
        arn = KEY_ARN.match(key or "")
        if arn and arn.group("region") != region:
            found.append(f"key {key} is set for {region} but belongs to another region: use a key in {region}")
    return found


def unshareable(region, key):
    """Return why images that this key encrypts cannot be shared."""
    return (
        f"key {key} in {region} is an AWS managed key, and images encrypted with it cannot be shared: use a customer "
        "managed key, or empty ami_publish_accounts"
    )


def _account_problems(request):
    return [
        f"'{account}' in ami_publish_accounts is not an AWS account ID: write its 12 digits in quotes"
        for account in request["accounts"]
        if not ACCOUNT.match(account)
    ]
