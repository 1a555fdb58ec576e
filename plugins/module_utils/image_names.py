# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows how images are named: repository, tag and digest, and under which name the engine lists them."""

import re

from ansible_collections.slipway.platform.plugins.module_utils import registry_names

HUB_PREFIXES = ("docker.io/", "index.docker.io/")
OFFICIAL = "library/"
LONGEST_NAME = 255
PATH = re.compile(r"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z")
TAG = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z", re.ASCII)
DIGEST = re.compile(r"\Asha256:[0-9a-f]{64}\Z")


class ImageNameError(ValueError):
    """It does not name an image; the text is the sentence for the user."""


def familiar(name):
    """The name as the engine lists it: without Docker Hub's host and without library/."""
    for prefix in HUB_PREFIXES:
        if name.startswith(prefix):
            name = name[len(prefix) :]
    official = name.startswith(OFFICIAL) and "/" not in name[len(OFFICIAL) :]
    return name[len(OFFICIAL) :] if official else name


def registry_of(name):
    """The host that the name begins with, or None when it is Docker Hub's."""
    first, slash, _ = name.partition("/")
    return first if slash and (first == "localhost" or "." in first or ":" in first) else None


def registry_key(name):
    """The key in config.json of the registry that has the image."""
    return registry_names.key_of(registry_of(name) or "docker.io")


def require_name(name):
    if "@" in name:
        raise ImageNameError(f"the name {name!r} holds a digest: give it as digest")
    registry = registry_of(name)
    path = name[len(registry) + 1 :] if registry else name
    if ":" in path:
        raise ImageNameError(f"the name {name!r} holds a tag: give it as one of tags")
    if not PATH.match(path) or len(name) > LONGEST_NAME:
        raise ImageNameError(f"{name!r} is not the name of a repository, such as registry.example.com/team/app")
    try:
        registry_key(name)
    except registry_names.RegistryNameError as error:
        raise ImageNameError(f"{name!r} is not the name of a repository: {error}") from error


def require_tag(tag, name):
    if not TAG.match(tag):
        raise ImageNameError(
            f"the tag {tag!r} of {name} is not valid: up to 128 letters, digits, '_', '.' and '-', without the name"
        )


def require_digest(digest, name):
    if not DIGEST.match(digest):
        raise ImageNameError(
            f"the digest {digest!r} of {name} is not valid: sha256: and 64 digits of 0-9a-f, as the registry or "
            "docker images --digests says it"
        )
