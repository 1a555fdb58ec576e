# SPDX-License-Identifier: Apache-2.0
"""Reads dockerfiles/images.yml: validates it, resolves `extends` and versions, and returns the images."""

from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from slipway.images import matrix_schema, strict_yaml
from slipway.images.digests_file import DIGESTS
from slipway.images.digests_file import read as read_digests
from slipway.images.errors import ImageError
from slipway.images.image import Context, Healthcheck, Image, User
from slipway.lab.paths import PROJECT

DOCKERFILES = PROJECT / "dockerfiles"
IMAGES = DOCKERFILES / "images.yml"
BYTES_PER_MB = 10**6
REQUIRED = ("family", "base", "description", "user", "healthcheck", "tags", "platforms", "size_budget_mb")
# Keys that become tuples of an Image, empty by default.
LISTS = (
    *("packages", "epel_packages", "build_packages", "setuid", "accounts", "masked_units", "ports"),
    *("entrypoint", "command", "moving_tags"),
)

Entry = dict[str, Any]


def load(path: Path = IMAGES) -> dict[str, Image]:
    """Return the images of a matrix by name, in file order. Raises ImageError with the location and the remedy."""
    entries = matrix_schema.check(strict_yaml.load(path), path.name)
    found = [
        _image(name, version, entry)
        for name in entries
        if not entries[name].get("abstract")
        for version, entry in _versions(name, _resolve(name, entries))
    ]
    if not found:
        raise ImageError(f"{path.name} defines no image: all its entries are abstract, or it has none.")
    _reject_duplicates("name", [image.name for image in found])
    _reject_duplicates("tag", [tag for image in found for tag in image.local_tags])
    images = {image.name: image for image in found}
    digests = read_digests(path.with_name(DIGESTS))
    _reject_cycles(images)
    return {name: _with_base(image, images, digests) for name, image in images.items()}


def without_lab(images: Mapping[str, Image]) -> dict[str, Image]:
    """Return the images that are not for the lab only."""
    return {name: image for name, image in images.items() if not image.lab}


def _resolve(name: str, entries: Mapping[str, Entry], below: tuple[str, ...] = ()) -> Entry:
    """Return the entry merged over all that it extends; below are the entries that extend it."""
    if name in below:
        raise ImageError(f"extends forms a cycle: {' -> '.join((*below, name))}. Remove one of them.")
    entry = entries[name]
    if "extends" not in entry:
        return entry
    parent = entry["extends"]
    if parent not in entries:
        raise ImageError(f"{name} extends {parent}, which is not in the matrix. The entries are {', '.join(entries)}.")
    inherited = {key: value for key, value in _resolve(parent, entries, (*below, name)).items() if key != "abstract"}
    return _merge(inherited, entry)


def _merge(lower: Entry, upper: Entry) -> Entry:
    """Merge one entry over another: labels and env by key; other values are replaced."""
    merged: Entry = {key: {**lower[key], **upper[key]} for key in ("labels", "env") if key in lower and key in upper}
    return {**lower, **upper, **merged}


def _versions(name: str, entry: Entry) -> list[tuple[str, Entry]]:
    if ("version" in entry) == ("versions" in entry):
        raise ImageError(f"{name} needs either version or versions: set one of them, or abstract: true.")
    if "version" in entry:
        return [(entry["version"], entry)]
    return [(version, _merge(entry, differing)) for version, differing in entry["versions"].items()]


def _reject_duplicates(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ImageError(f"Two images have the {what} {twice[0]}: change one of them.")


def _image(entry_name: str, version: str, entry: Entry) -> Image:
    """Return the image of an entry; `_with_base` fills in the base."""
    name = f"{entry_name}-{version}" if "versions" in entry else entry_name
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        raise ImageError(f"{name} lacks {', '.join(missing)}: add what is missing, or extend an entry that has it.")
    lists: Any = {key: tuple(entry.get(key, ())) for key in LISTS}
    return Image(
        name=name,
        repository=entry_name,
        version=version,
        family=entry["family"],
        base=entry["base"],
        digest=None,
        has_local_base=False,
        description=entry["description"],
        user=User(**entry["user"]),
        healthcheck=Healthcheck(**_tuples(entry["healthcheck"])),
        tags=tuple(entry["tags"]),
        platforms=tuple(entry["platforms"]),
        size_budget=entry["size_budget_mb"] * BYTES_PER_MB,
        publish=entry.get("publish", True),
        lab=entry.get("lab", False),
        context=Context(**_tuples(entry["context"])) if "context" in entry else None,
        labels=entry.get("labels", {}),
        env=entry.get("env", {}),
        **lists,
    )


def _tuples(entry: Entry) -> Entry:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _reject_cycles(images: Mapping[str, Image]) -> None:
    try:
        TopologicalSorter({name: [image.base] for name, image in images.items()}).prepare()
    except CycleError as error:
        raise ImageError(f"Images form a cycle: {' -> '.join(error.args[1])}. Change the base of one.") from error


def _with_base(image: Image, images: Mapping[str, Image], digests: Mapping[str, str]) -> Image:
    """Return the image with its base resolved: another one of the matrix, or a registry reference with a tag."""
    if image.base in images:
        return replace(image, has_local_base=True, base_tag=images[image.base].local_tags[-1])
    if ":" not in image.base.rpartition("/")[2]:
        raise ImageError(
            f"{image.name} has the base {image.base}, which is neither an image of the matrix ({', '.join(images)}) "
            "nor a reference with a tag, such as quay.io/centos/centos:stream9: correct it."
        )
    return replace(image, digest=digests.get(image.base))
