# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads which secret has the credentials of which registry. The file contains no secret, and only root can write it.

Endpoints are read from this file and never from the environment, so that every user's pull uses the same endpoint and
a variable in a user's profile cannot redirect signed requests.
"""

import json
from collections import namedtuple

from slipway_agent.aws import imds
from slipway_agent.aws.errors import AwsError

# registries: Reference by key of config.json. metadata_endpoint: address of the instance metadata service.
# wait_seconds: how long a boot retries.
Settings = namedtuple("Settings", ["registries", "metadata_endpoint", "wait_seconds"])
# region: None for the instance's region. endpoint: None for the default endpoint of AWS.
Reference = namedtuple("Reference", ["provider", "name", "region", "endpoint"])


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        registries = {key: reference_of(entry) for key, entry in content["registries"].items()}
        return Settings(registries, content.get("metadata_endpoint") or imds.ENDPOINT, content["wait_seconds"])
    except OSError as error:
        raise AwsError(f"{path} cannot be read ({error.strerror}): run the role docker_firstboot again") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AwsError(f"{path} is malformed: run the role docker_firstboot again") from error


def reference_of(entry):
    name = entry["name"]
    region = entry.get("region") or region_of_arn(name)
    return Reference(entry["provider"], name, region, entry.get("endpoint") or None)


def region_of_arn(name):
    """Return the region of an ARN, or None if the name is not an ARN."""
    return name.split(":")[3] if name.startswith("arn:") and name.count(":") >= 5 else None
