# SPDX-License-Identifier: Apache-2.0
"""Which images can be built from a supply, and why the others cannot."""

from collections.abc import Mapping

from slipway.images import graph
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.supply import Supply


def unavailable(images: Mapping[str, Image], supply: Supply) -> dict[str, str]:
    """Return the reason for each image that cannot be built. images must be ordered as by graph.with_bases."""
    reasons: dict[str, str] = {}
    for image in images.values():
        reason = _missing_base(image, supply, reasons) or _missing_packages(image, supply)
        if reason:
            reasons[image.name] = reason
    return reasons


def require(images: Mapping[str, Image], supply: Supply) -> None:
    """Raise ImageError if one of the images cannot be built."""
    reasons = unavailable(images, supply)
    if reasons:
        each = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise ImageError(f"Cannot be built from {supply.description}: {each}. Use LAB=online where registries answer.")


def _missing_base(image: Image, supply: Supply, reasons: Mapping[str, str]) -> str:
    missing = [base for base in graph.bases(image) if base in reasons]
    if missing:
        return f"needs {missing[0]}"
    if not image.has_local_base and supply.only_these_bases and image.base not in supply.bases:
        return f"no stand-in for {image.base}"
    return ""


def _missing_packages(image: Image, supply: Supply) -> str:
    if supply.packages is None:
        return ""
    wanted = {*image.packages, *image.epel_packages, *image.build_packages}
    missing = sorted(wanted - supply.packages)
    return f"no package {', '.join(missing)}" if missing else ""
