# SPDX-License-Identifier: Apache-2.0
"""Tiny busybox images, to test building and publishing. The lab carries the base."""

from typing import Any

import docker

from slipway.images.image import NAMESPACE, Healthcheck, Image, User
from slipway.lab.networks import LABEL

HELLO = "slipway/hello"


def tiny(name: str, base: str | None = None, **differing: Any) -> Image:
    """Return an image on the tiny image named base, or on HELLO."""
    facts: dict[str, Any] = {
        "name": name,
        "repository": name,
        "version": "1",
        "family": "tiny",
        "base": base or HELLO,
        "digest": None,
        "has_local_base": base is not None,
        "base_tag": f"{NAMESPACE}/{base}:latest" if base else "",
        "description": "A test image",
        "user": User(root_because="busybox has no other user"),
        "healthcheck": Healthcheck(none_because="it is no service"),
        "tags": ("1-r1", "1-r1-tiny"),
        "moving_tags": ("latest",),
        "platforms": ("linux/amd64",),
        "size_budget": 10**6,
        "publish": True,
    }
    return Image(**{**facts, **differing})


def build_containers(client: docker.DockerClient) -> set[str]:
    """Return the ids of the engine's containers, except those of labs, which may change at any time."""
    containers = client.containers.list(all=True, ignore_removed=True)
    return {str(container.id) for container in containers if LABEL not in container.labels}


def matrix(*images: Image) -> dict[str, Image]:
    """Return images as `slipway.images.matrix.load` does."""
    return {image.name: image for image in images}


def dockerfile(*instructions: str) -> str:
    """Return a Dockerfile with these instructions on the base of the build argument."""
    return "\n".join(("ARG BASE", "FROM ${BASE}", *instructions, ""))
