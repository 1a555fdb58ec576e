# SPDX-License-Identifier: Apache-2.0
"""The order in which images stand on each other, and what of the matrix a person has asked for."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

from slipway.images.errors import ImageError
from slipway.images.image import Image


def named(images: Mapping[str, Image], names: Sequence[str]) -> dict[str, Image]:
    """Return the images of these names, all where there is none. Raises ImageError for a name that is unknown."""
    unknown = [name for name in names if name not in images]
    if unknown:
        raise ImageError(
            f"The matrix has no image {' and no '.join(unknown)}: name one of {', '.join(sorted(images))}."
        )
    return {name: images[name] for name in names or images}


def with_bases(images: Mapping[str, Image], chosen: Iterable[str]) -> dict[str, Image]:
    """Return the chosen images and all that they stand on, a base before what stands on it."""
    needed: dict[str, Image] = {}
    pending = list(chosen)
    while pending:
        image = images[pending.pop()]
        if image.name not in needed:
            needed[image.name] = image
            pending.extend(bases(image))
    return {name: images[name] for name in sorter(needed).static_order()}


def sorter(images: Mapping[str, Image]) -> TopologicalSorter[str]:
    """Return a sorter of the images' names, for those who build what is ready as it gets ready."""
    return TopologicalSorter({name: bases(image) for name, image in sorted(images.items())})


def bases(image: Image) -> list[str]:
    """Return the names of the matrix that the image stands on directly."""
    return [image.base] if image.stands_on_ours else []
