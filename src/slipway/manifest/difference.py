# SPDX-License-Identifier: Apache-2.0
"""Compares two manifests."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slipway.manifest.manifest import Manifest, Package

# A package whose builds do not succeed each other.
UNORDERED = "gpg-pubkey"
# Values that change with every bake or with the packages.
NOT_COMPARED = ("SLIPWAY_TIME", "SLIPWAY_PACKAGES_SHA256")


@dataclass(frozen=True)
class Change:
    """One difference, with the old and the new value; "" if only one manifest has it."""

    kind: str
    what: str
    old: str
    new: str


def differences(old: Manifest, new: Manifest) -> list[Change]:
    """Return the differences: the values of the images, then packages by name."""
    return [
        *_values(old.os, new.os),
        *_values(old.release, new.release),
        *_packages(old.packages, new.packages),
    ]


def _values(old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for name in sorted({*old, *new} - {*NOT_COMPARED}):
        if old.get(name, "") != new.get(name, ""):
            yield Change("changed", name, old.get(name, ""), new.get(name, ""))


def _packages(old: Iterable[Package], new: Iterable[Package]) -> Iterator[Change]:
    before, after = _by_label(old), _by_label(new)
    for label in sorted({*before, *after}):
        yield from _builds(before[label], after[label])


def _by_label(packages: Iterable[Package]) -> defaultdict[str, dict[str, Package]]:
    """Return the builds of each package, oldest first."""
    result: defaultdict[str, dict[str, Package]] = defaultdict(dict)
    for package in sorted(packages, key=lambda package: package.evr):
        result[package.label][package.build] = package
    return result


def _builds(old: dict[str, Package], new: dict[str, Package]) -> Iterator[Change]:
    """Compare installed builds, of which a package may have several, like the kernel.

    One removed and one added build are an upgrade or a downgrade.
    """
    kept = [(old[build], new[build]) for build in old if build in new]
    removed = [package for build, package in old.items() if build not in new]
    added = [package for build, package in new.items() if build not in old]
    if len(removed) == len(added) == 1 and removed[0].name != UNORDERED:
        yield _version_change(removed[0], added[0])
        kept += zip(removed, added, strict=True)
    else:
        yield from (Change("removed", package.label, package.build, "") for package in removed)
        yield from (Change("added", package.label, "", package.build) for package in added)
    for before, after in kept:
        if before.key != after.key:
            yield Change("re-signed", after.label, before.key or "unsigned", after.key or "unsigned")


def _version_change(before: Package, after: Package) -> Change:
    kind = "upgraded" if before.evr < after.evr else "downgraded"
    return Change(kind, after.label, before.build, after.build)
