# SPDX-License-Identifier: Apache-2.0
"""Reads dockerfiles/images.yml: checks it, lays entries over those that they extend, and makes the images of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from slipway.images import matrix_schema
from slipway.images.errors import ImageError
from slipway.images.image import Context, Healthcheck, Image, User
from slipway.lab.paths import PROJECT

DOCKERFILES = PROJECT / "dockerfiles"
IMAGES = DOCKERFILES / "images.yml"
DIGESTS = "digests.json"  # beside the matrix, if any
BYTES_PER_MB = 10**6
REQUIRED = ("family", "base", "description", "user", "healthcheck", "tags", "platforms", "size_budget_mb")
# What goes into an Image as a tuple, empty where it is not said.
LISTS = (
    *("packages", "epel_packages", "build_packages", "setuid", "accounts", "masked_units", "ports"),
    *("entrypoint", "command", "moving_tags"),
)

Entry = dict[str, Any]


def load(path: Path = IMAGES) -> dict[str, Image]:
    """Return the images of a matrix by name, in its order. Raises ImageError with the place and the remedy."""
    entries = matrix_schema.check(_read(path), path.name)
    found = [
        _image(name, version, entry)
        for name in entries
        if not entries[name].get("abstract")
        for version, entry in _versions(name, _extended(name, entries))
    ]
    _refuse_twice("name", [image.name for image in found])
    _refuse_twice("tag", [tag for image in found for tag in image.local_tags])
    images = {image.name: image for image in found}
    digests = _digests(path.with_name(DIGESTS))
    _refuse_circles(images)
    return {name: _founded(image, images, digests) for name, image in images.items()}


def without_lab(images: Mapping[str, Image]) -> dict[str, Image]:
    """Return the images that the lab does not make for itself."""
    return {name: image for name, image in images.items() if not image.lab}


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise ImageError(f"There is no matrix at {path}: it comes with the project, restore it.") from error
    except yaml.YAMLError as error:
        raise ImageError(f"{path.name} is no YAML: {error}") from error


def _digests(path: Path) -> Mapping[str, str]:
    digests: Mapping[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return digests


def _extended(name: str, entries: Mapping[str, Entry], below: tuple[str, ...] = ()) -> Entry:
    """Return the entry laid over all that it extends; below are the entries that led here."""
    if name in below:
        raise ImageError(f"extends goes in a circle: {' -> '.join((*below, name))}. Take one of them out.")
    entry = entries[name]
    if "extends" not in entry:
        return entry
    parent = entry["extends"]
    if parent not in entries:
        raise ImageError(f"{name} extends {parent}, which is not in the matrix. There are {', '.join(entries)}.")
    inherited = {key: value for key, value in _extended(parent, entries, (*below, name)).items() if key != "abstract"}
    return _over(inherited, entry)


def _over(lower: Entry, upper: Entry) -> Entry:
    """Lay one entry over another: labels and env are merged, whatever else is replaced."""
    merged: Entry = {key: {**lower[key], **upper[key]} for key in ("labels", "env") if key in lower and key in upper}
    return {**lower, **upper, **merged}


def _versions(name: str, entry: Entry) -> list[tuple[str, Entry]]:
    if ("version" in entry) == ("versions" in entry):
        raise ImageError(f"{name} needs either version or versions: say which it is, or abstract: true.")
    if "version" in entry:
        return [(entry["version"], entry)]
    return [(version, _over(entry, differing)) for version, differing in entry["versions"].items()]


def _refuse_twice(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ImageError(f"Two images have the {what} {twice[0]}: give one of them another.")


def _image(entry_name: str, version: str, entry: Entry) -> Image:
    """Make an image of an entry; what it stands on is told by `_founded`."""
    name = f"{entry_name}-{version}" if "versions" in entry else entry_name
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        raise ImageError(f"{name} has no {' and no '.join(missing)}: add it, or extend an entry that has it.")
    lists: Any = {key: tuple(entry.get(key, ())) for key in LISTS}
    return Image(
        name=name,
        repository=entry_name,
        version=version,
        family=entry["family"],
        base=entry["base"],
        digest=None,
        stands_on_ours=False,
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


def _refuse_circles(images: Mapping[str, Image]) -> None:
    try:
        TopologicalSorter({name: [image.base] for name, image in images.items()}).prepare()
    except CycleError as error:
        raise ImageError(f"Images stand on each other: {' -> '.join(error.args[1])}. Give one another base.") from error


def _founded(image: Image, images: Mapping[str, Image], digests: Mapping[str, str]) -> Image:
    """Find what an image stands on: another one of the matrix, or what a registry has under a tag."""
    if image.base in images:
        return replace(image, stands_on_ours=True, base_tag=images[image.base].local_tags[-1])
    if ":" not in image.base.rpartition("/")[2]:
        raise ImageError(
            f"{image.name} stands on {image.base}, which is neither an image of the matrix ({', '.join(images)}) "
            "nor an image with a tag, such as quay.io/centos/centos:stream9."
        )
    return replace(image, digest=digests.get(image.base))
