# SPDX-License-Identifier: Apache-2.0
"""Images for tests of what builds and publishes them: of busybox, which the lab carries."""

from typing import Any

from slipway.images.image import Healthcheck, Image, User

HELLO = "slipway/hello"


def tiny(name: str, base: str | None = None, **differing: Any) -> Image:
    """Return an image on another tiny one of that name, else on HELLO."""
    facts: dict[str, Any] = {
        "name": name,
        "repository": name,
        "version": "1",
        "family": "tiny",
        "base": base or HELLO,
        "digest": None,
        "stands_on_ours": base is not None,
        "base_tag": f"slipway/{base}:latest" if base else "",
        "description": "An image of a test",
        "user": User(root_because="busybox has no other user"),
        "healthcheck": Healthcheck(none_because="it is no service"),
        "tags": ("1-r1", "1-r1-tiny"),
        "moving_tags": ("latest",),
        "platforms": ("linux/amd64",),
        "size_budget": 10**6,
        "publish": True,
    }
    return Image(**{**facts, **differing})


def matrix(*images: Image) -> dict[str, Image]:
    """Return images as `slipway.images.matrix.load` does."""
    return {image.name: image for image in images}


def dockerfile(*instructions: str) -> str:
    """Return a Dockerfile with these instructions on the base that the build names."""
    return "\n".join(("ARG BASE", "FROM ${BASE}", *instructions, ""))
