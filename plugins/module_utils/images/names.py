# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Image references: repository names, tags and digests, and the names under which the engine lists them."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.registry import names as registry_names

HUB_PREFIXES = ("docker.io/", "index.docker.io/")
OFFICIAL = "library/"
LONGEST_NAME = 255
PATH = re.compile(r"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z")
TAG = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z", re.ASCII)
DIGEST = re.compile(r"\Asha256:[0-9a-f]{64}\Z")


class ImageNameError(ValueError):
    """An invalid name, tag or digest; the message is for the user."""


def familiar(name):
    """The name as the engine lists it, without Docker Hub's host and without library/."""
    for prefix in HUB_PREFIXES:
        if name.startswith(prefix):
            name = name[len(prefix) :]
    official = name.startswith(OFFICIAL) and "/" not in name[len(OFFICIAL) :]
    return name[len(OFFICIAL) :] if official else name


def registry_of(name):
    """The registry host in the name, or None for Docker Hub."""
    first, slash, _ = name.partition("/")
    return first if slash and (first == "localhost" or "." in first or ":" in first) else None


def registry_key(name):
    """The config.json key of the image's registry. Raises RegistryNameError."""
    return registry_names.key_of(registry_of(name) or "docker.io")


def require_name(name):
    if "@" in name:
        raise ImageNameError(f"the name {name!r} contains a digest: set it in digest")
    registry = registry_of(name)
    path = name[len(registry) + 1 :] if registry else name
    if ":" in path:
        raise ImageNameError(f"the name {name!r} contains a tag: list it in tags")
    if not PATH.match(path) or len(name) > LONGEST_NAME:
        raise ImageNameError(f"{name!r} is not the name of a repository: use one such as registry.example.com/team/app")
    try:
        registry_key(name)
    except registry_names.RegistryNameError as error:
        raise ImageNameError(f"{name!r} is not the name of a repository: {error}") from error


def require_tag(tag, name):
    if not TAG.match(tag):
        raise ImageNameError(
            f"the tag {tag!r} of {name} is not valid: use up to 128 letters, digits, '_', '.' and '-', without the name"
        )


def require_digest(digest, name):
    if not DIGEST.match(digest):
        raise ImageNameError(
            f"the digest {digest!r} of {name} is not valid: use sha256: and 64 hexadecimal digits, as shown by the "
            "registry or docker images --digests"
        )
