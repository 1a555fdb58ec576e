# SPDX-License-Identifier: Apache-2.0
"""Which images can be built from a supply, and why the others cannot."""

from collections.abc import Mapping

from slipway.images import graph
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.supply import Supply


def unavailable(images: Mapping[str, Image], supply: Supply) -> dict[str, str]:
    """Return the reason for each image that cannot be built; images are in the order of graph.with_bases."""
    reasons: dict[str, str] = {}
    for image in images.values():
        reason = _base_is_missing(image, supply, reasons) or _packages_are_missing(image, supply)
        if reason:
            reasons[image.name] = reason
    return reasons


def refuse(images: Mapping[str, Image], supply: Supply) -> None:
    """Raise ImageError when one of the images, which were asked for by name, cannot be built."""
    reasons = unavailable(images, supply)
    if reasons:
        each = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise ImageError(f"Not to be built from {supply.description}: {each}. Use LAB=online where registries answer.")


def _base_is_missing(image: Image, supply: Supply, reasons: Mapping[str, str]) -> str:
    missing = [base for base in graph.bases(image) if base in reasons]
    if missing:
        return f"stands on {missing[0]}"
    if not image.stands_on_ours and supply.only_these_bases and image.base not in supply.bases:
        return f"nothing stands in for {image.base}"
    return ""


def _packages_are_missing(image: Image, supply: Supply) -> str:
    if supply.packages is None:
        return ""
    wanted = {*image.packages, *image.epel_packages, *image.build_packages}
    missing = sorted(wanted - supply.packages)
    return f"no package {', '.join(missing)}" if missing else ""
