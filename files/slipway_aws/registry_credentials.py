# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Takes the user name and the token of a registry out of a secret."""

import json

from slipway_aws import secrets
from slipway_aws.errors import LastingError

# What the secrets of ECR's pull-through cache use.
KEYS = ("username", "accessToken")
SHAPE = '{"username": ..., "accessToken": ...}'


def read(reference, metadata):
    """The user name and the token."""
    return parse(secrets.read(reference, metadata), reference.name)


def parse(text, name):
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        # Without the parser's error, which quotes the secret.
        raise LastingError(f"{name} is no JSON object: store {SHAPE} in it") from None
    for key in KEYS:
        if not isinstance(content.get(key), str) or not content[key]:
            raise LastingError(f"{name} lacks the key {key}, or it is no text: store it in the secret")
    return tuple(content[key] for key in KEYS)
