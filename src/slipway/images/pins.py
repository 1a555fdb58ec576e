# SPDX-License-Identifier: Apache-2.0
"""Finds base images without a digest: whoever can push to the registry can change what a tag names."""

from collections.abc import Iterable, Mapping

from slipway.images import graph
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.supply import Supply


def unpinned(images: Iterable[Image], supply: Supply) -> list[str]:
    """Return the external bases of the images that have no digest; stand-ins need none."""
    return sorted(
        {
            image.base
            for image in images
            if not image.has_local_base and not image.digest and image.base not in supply.bases
        }
    )


def require_digests(images: Mapping[str, Image], chosen: Iterable[str], supply: Supply) -> None:
    """Raise ImageError if a chosen image has, directly or indirectly, a base without a digest."""
    found = unpinned(graph.with_bases(images, chosen).values(), supply)
    if found:
        raise ImageError(
            f"Not pinned by a digest: {', '.join(found)}. Run `slipway-images refresh-digests`, review and commit "
            "dockerfiles/digests.json, and build again; or accept what the tags name now with --allow-unpinned."
        )
