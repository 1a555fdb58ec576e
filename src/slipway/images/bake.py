# SPDX-License-Identifier: Apache-2.0
"""The matrix as a docker-bake.json, to build with buildx, for example for several platforms at once."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from slipway.images.context import folder_of
from slipway.images.image import NAMESPACE, Image
from slipway.images.provenance import OCI


def bake_file(
    images: Mapping[str, Image],
    dockerfile: Callable[[Image], str],
    labels: Mapping[str, str],
    prefix: str = NAMESPACE,
) -> str:
    """Return the text of a bake file, for `docker buildx bake --file docker-bake.json` in the project's folder.

    dockerfile renders an image for BuildKit, labels are added to every image, prefix is that of all tags. Raises
    ImageError for a context outside the project.
    """
    content = {
        "group": {"default": {"targets": [_target_name(name) for name in images]}},
        "target": {
            _target_name(name): _target(image, dockerfile(image), {**labels, **_labels(image)}, prefix)
            for name, image in images.items()
        },
    }
    return f"{json.dumps(_literal(content), indent=2)}\n"


def _target(image: Image, dockerfile: str, labels: Mapping[str, str], prefix: str) -> dict[str, Any]:
    if image.context:
        folder_of(image.name, image.context)
    target: dict[str, Any] = {
        "context": image.context.path if image.context else ".",
        "dockerfile-inline": dockerfile,
        "args": {"BASE": image.base if image.has_local_base else image.base_reference},
        "labels": dict(sorted(labels.items())),
        "platforms": list(image.platforms),
        "tags": list(image.tags_below(prefix)),
    }
    if image.has_local_base:
        target["contexts"] = {image.base: f"target:{_target_name(image.base)}"}
    return target


def _labels(image: Image) -> dict[str, str]:
    base = image.base_tag if image.has_local_base else image.base
    labels = {f"{OCI}.version": image.version, f"{OCI}.base.name": base}
    return {**labels, f"{OCI}.base.digest": image.digest} if image.digest else labels


def _target_name(name: str) -> str:
    """Return a name that bake accepts: it rejects dots."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _literal(value: Any) -> Any:
    """Escape what bake would interpolate, such as ${BASE}."""
    match value:
        case str():
            return value.replace("${", "$${").replace("%{", "%%{")
        case list():
            return [_literal(item) for item in value]
        case dict():
            return {key: _literal(item) for key, item in value.items()}
    return value
