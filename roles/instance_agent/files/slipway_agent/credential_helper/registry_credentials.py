# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the user name and the token of a registry from a secret."""

import json

from slipway_agent.aws import secrets
from slipway_agent.aws.errors import LastingError

# The keys that secrets for ECR's pull-through cache have.
KEYS = ("username", "accessToken")
SHAPE = '{"username": ..., "accessToken": ...}'


def read(reference, metadata):
    """Return the user name and the token."""
    return parse(secrets.read(reference, metadata), reference.name)


def parse(text, name):
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        # Drop the cause, which quotes the secret.
        raise LastingError(f"{name} is not a JSON object: store {SHAPE} in it") from None
    for key in KEYS:
        if not isinstance(content.get(key), str) or not content[key]:
            raise LastingError(f"{name} has no key {key} with a string value: add it to the secret")
    return tuple(content[key] for key in KEYS)
