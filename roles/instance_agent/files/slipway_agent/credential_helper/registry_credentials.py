# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the user name and the token of a registry from a secret, or requests them from Amazon ECR."""

import json

from slipway_agent.aws import ecr, secrets
from slipway_agent.aws.errors import LastingError

ECR = "ecr"
# The keys that secrets for ECR's pull-through cache have.
KEYS = ("username", "accessToken")
SHAPE = '{"username": ..., "accessToken": ...}'


class Reader:
    """Reads credentials with the instance's role. Only tokens of ECR are cached, which expire by themselves."""

    def __init__(self, metadata, cache):
        self.metadata = metadata
        self.cache = cache

    def read(self, reference, cached=True):
        """Return the user name and the token. cached: whether a token that was requested before will do."""
        if reference.provider != ECR:
            return parse(secrets.read(reference, self.metadata), reference.name)
        token = self.cache.get(reference.name) if cached else None
        if token is None:
            token = ecr.request(reference.name, self.metadata, reference.endpoint)
            self.cache.put(reference.name, token)
        return token.username, token.password


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
