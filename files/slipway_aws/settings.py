# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads which secret has the credentials of which registry. The file holds no secret; root alone writes it.

Endpoints come from this file and never from the environment: a pull then asks the same place whoever makes it, and a
variable left over in a user's profile sends no signed request elsewhere.
"""

import json
from collections import namedtuple

from slipway_aws import imds
from slipway_aws.errors import AwsError

# registries: Reference by key of config.json; metadata_endpoint: where the instance metadata service is;
# wait_seconds: how long a boot tries again.
Settings = namedtuple("Settings", ["registries", "metadata_endpoint", "wait_seconds"])
# Where a secret is. region and endpoint are None where the instance's region and AWS' own endpoint do.
Reference = namedtuple("Reference", ["provider", "name", "region", "endpoint"])


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        registries = {key: reference_of(entry) for key, entry in content["registries"].items()}
        return Settings(registries, content.get("metadata_endpoint") or imds.ENDPOINT, content["wait_seconds"])
    except OSError as error:
        raise AwsError(f"{path} cannot be read ({error.strerror}): run role docker_firstboot again") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AwsError(f"{path} is damaged: run role docker_firstboot again") from error


def reference_of(entry):
    name = entry["name"]
    region = entry.get("region") or region_of_arn(name)
    return Reference(entry["provider"], name, region, entry.get("endpoint") or None)


def region_of_arn(name):
    """The region that an ARN names, or None for another name."""
    return name.split(":")[3] if name.startswith("arn:") and name.count(":") >= 5 else None
