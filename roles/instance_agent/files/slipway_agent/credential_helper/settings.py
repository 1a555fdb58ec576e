# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads where the credentials of which registry are. The file contains no secret, and only root can write it.

Endpoints are read from this file and never from the environment, so that every user's pull uses the same endpoint and
a variable in a user's profile cannot redirect signed requests.
"""

import json
from collections import namedtuple

from slipway_agent.aws import imds
from slipway_agent.aws.errors import AwsError
from slipway_agent.credential_helper import registry_credentials

# registries: Reference by key of config.json. metadata_endpoint: address of the instance metadata service.
# wait_seconds: how long a boot retries. runtime_directory: where files end with the boot; only tests change it.
Settings = namedtuple("Settings", ["registries", "metadata_endpoint", "wait_seconds", "runtime_directory"])
# name: of the secret, or with ECR, of the registry. region: None for the instance's region, or with ECR, that of the
# registry. endpoint: None for the default endpoint of AWS.
Reference = namedtuple("Reference", ["provider", "name", "region", "endpoint"])
RUNTIME_DIRECTORY = "/run"


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        registries = {key: reference_of(key, entry) for key, entry in content["registries"].items()}
        return Settings(
            registries,
            content.get("metadata_endpoint") or imds.ENDPOINT,
            content["wait_seconds"],
            content.get("runtime_directory") or RUNTIME_DIRECTORY,
        )
    except OSError as error:
        raise AwsError(f"{path} cannot be read ({error.strerror}): run the role docker_firstboot again") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AwsError(f"{path} is malformed: run the role docker_firstboot again") from error


def reference_of(key, entry):
    """Return the Reference in the entry of a registry, which its key of config.json names."""
    provider, endpoint = entry["provider"], entry.get("endpoint") or None
    if provider == registry_credentials.ECR:
        return Reference(provider, key, None, endpoint)
    name = entry["name"]
    return Reference(provider, name, entry.get("region") or region_of_arn(name), endpoint)


def region_of_arn(name):
    """Return the region of an ARN, or None if the name is not an ARN."""
    return name.split(":")[3] if name.startswith("arn:") and name.count(":") >= 5 else None
