# SPDX-License-Identifier: Apache-2.0
"""What differs between two manifests."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slipway.manifest.manifest import Manifest, Package

# Of these, a new one is no successor of the old one.
NO_SUCCESSION = "gpg-pubkey"
# They differ in every bake, or as the packages do.
NOT_COMPARED = ("SLIPWAY_TIME", "SLIPWAY_PACKAGES_SHA256")


@dataclass(frozen=True)
class Change:
    """One difference: of what, and how it was and is; "" where it is in one manifest alone."""

    kind: str
    what: str
    old: str
    new: str


def differences(old: Manifest, new: Manifest) -> list[Change]:
    """Return what differs: what the images are, then packages by name."""
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
    """Return the builds that each package has, the oldest first."""
    result: defaultdict[str, dict[str, Package]] = defaultdict(dict)
    for package in sorted(packages, key=lambda package: package.evr):
        result[package.label][package.build] = package
    return result


def _builds(old: dict[str, Package], new: dict[str, Package]) -> Iterator[Change]:
    """Several builds may be installed, as of the kernel: where one went and one came, the one succeeds the other."""
    kept = [(old[build], new[build]) for build in old if build in new]
    gone = [package for build, package in old.items() if build not in new]
    come = [package for build, package in new.items() if build not in old]
    if len(gone) == len(come) == 1 and gone[0].name != NO_SUCCESSION:
        yield _moved(gone[0], come[0])
        kept += zip(gone, come, strict=True)
    else:
        yield from (Change("removed", package.label, package.build, "") for package in gone)
        yield from (Change("added", package.label, "", package.build) for package in come)
    for before, after in kept:
        if before.key != after.key:
            yield Change("re-signed", after.label, before.key or "unsigned", after.key or "unsigned")


def _moved(before: Package, after: Package) -> Change:
    kind = "upgraded" if before.evr < after.evr else "downgraded"
    return Change(kind, after.label, before.build, after.build)
