# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows what AWS would refuse of a wish to publish an image, before AWS is asked."""

import re

NAME = re.compile(r"\A[A-Za-z0-9()\[\] ./\-'@_]{3,128}\Z")
FAMILY = re.compile(r"\A[A-Za-z0-9._\-]{1,128}\Z")
ACCOUNT = re.compile(r"\A[0-9]{12}\Z")
SOURCE = re.compile(r"\A(?:i|snap|ami)-[0-9a-f]{8,17}\Z")
KEY_ARN = re.compile(r"\Aarn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:")
# What begins so, AWS has made for the account, and no other account may use it.
OF_AWS = "alias/aws/"


def problems(request):
    """One sentence for each reason not to ask AWS at all."""
    found = _family_problems(request) + _region_problems(request)
    if request["source"]:
        found += _image_problems(request) + _key_problems(request) + _account_problems(request)
    return found


def _family_problems(request):
    if FAMILY.match(request["family"]):
        return []
    return [
        f"ami_publish_family '{request['family']}' cannot be used: name what the images have in common with letters, "
        "digits, '.', '_' and '-', as in docker-el9"
    ]


def _region_problems(request):
    region = request["region"]
    if not region:
        return ["ami_publish_region is missing: say where images are made, as in eu-central-1"]
    if region in request["regions"]:
        return [f"ami_publish_regions names {region}, where the image is made: name only those to copy it to"]
    return []


def _image_problems(request):
    found = []
    if not SOURCE.match(request["source"]):
        found.append(
            f"ami_publish_source '{request['source']}' is neither an instance (i-...), a snapshot (snap-...) nor an "
            "image (ami-...)"
        )
    if not NAME.match(request["name"]):
        found.append(
            f"ami_publish_name '{request['name']}' is no name for an image: AWS takes 3 to 128 letters, digits, spaces "
            "and ()[]./-'@_, as in docker-el9-20260801"
        )
    reserved = [key for key in request["tags"] if key.lower().startswith(("aws:", "slipway:"))]
    return found + [
        f"ami_publish_tags has {key}, which is AWS' or the role's own: call it otherwise" for key in reserved
    ]


def _key_problems(request):
    keys, regions = request["keys"], request["regions"]
    found = [
        f"ami_publish_regions names {region}, and ami_publish_kms_keys has no key for it: add one, since every "
        "copy is encrypted"
        for region in regions
        if not keys.get(region)
    ]
    found += [
        f"ami_publish_kms_keys has a key for {region}, which ami_publish_regions does not name: add the region or "
        "remove the key"
        for region in keys
        if region not in regions
    ]
    if request["backup_region"] and not request["backup_key"]:
        found.append("ami_publish_backup_kms_key is missing: every backup is encrypted, name a key of the region")
    for region, key in keys.items():
        if key.startswith(OF_AWS) and request["accounts"]:
            found.append(unshareable(region, key))
    backup = [(request["backup_region"], request["backup_key"])] if request["backup_region"] else []
    for region, key in [*keys.items(), *backup]:
        arn = KEY_ARN.match(key or "")
        if arn and arn.group("region") != region:
            found.append(f"key {key} is not of {region}, where it is to encrypt: name one of that region")
    return found


def unshareable(region, key):
    """Why there would be nobody who can use what is shared."""
    return (
        f"what {key} encrypts in {region} cannot be shared, since it is AWS' key for this account alone: take a key of "
        "your own, or empty ami_publish_accounts"
    )


def _account_problems(request):
    return [
        f"'{account}' in ami_publish_accounts is no account of AWS: write its 12 digits in quotes"
        for account in request["accounts"]
        if not ACCOUNT.match(account)
    ]
