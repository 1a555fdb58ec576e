# SPDX-License-Identifier: Apache-2.0
"""Dependencies between images, and the selection of images by name."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

from slipway.images.errors import ImageError
from slipway.images.image import Image


def select(images: Mapping[str, Image], names: Sequence[str]) -> dict[str, Image]:
    """Return the named images, or all without names. Raises ImageError for an unknown name."""
    unknown = [name for name in names if name not in images]
    if unknown:
        raise ImageError(f"Unknown image {', '.join(unknown)}: use one of {', '.join(sorted(images))}.")
    return {name: images[name] for name in names or images}


def with_bases(images: Mapping[str, Image], chosen: Iterable[str]) -> dict[str, Image]:
    """Return the chosen images and all their bases; each base precedes the images that depend on it."""
    needed: dict[str, Image] = {}
    pending = list(chosen)
    while pending:
        image = images[pending.pop()]
        if image.name not in needed:
            needed[image.name] = image
            pending.extend(bases(image))
    return {name: images[name] for name in sorter(needed).static_order()}


def sorter(images: Mapping[str, Image]) -> TopologicalSorter[str]:
    """Return a topological sorter of the image names, to build each image as soon as its base is done."""
    return TopologicalSorter({name: bases(image) for name, image in sorted(images.items())})


def bases(image: Image) -> list[str]:
    """Return the names of the direct bases of an image that are in the matrix."""
    return [image.base] if image.has_local_base else []
