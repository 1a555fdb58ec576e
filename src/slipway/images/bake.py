# SPDX-License-Identifier: Apache-2.0
"""The matrix as a docker-bake.json, for those who build with buildx, such as for several platforms at once."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from slipway.images.image import Image
from slipway.images.provenance import OCI


def bake_file(images: Mapping[str, Image], dockerfile: Callable[[Image], str], labels: Mapping[str, str]) -> str:
    """Return the text of a bake file; dockerfile renders an image for BuildKit, labels are those of every image.

    It is to be used in the project's folder: `docker buildx bake --file docker-bake.json`.
    """
    content = {
        "group": {"default": {"targets": [_target_name(name) for name in images]}},
        "target": {
            _target_name(name): _target(image, dockerfile(image), {**labels, **_labels(image)})
            for name, image in images.items()
        },
    }
    return f"{json.dumps(_literal(content), indent=2)}\n"


def _target(image: Image, dockerfile: str, labels: Mapping[str, str]) -> dict[str, Any]:
    target: dict[str, Any] = {
        "context": image.context.path if image.context else ".",
        "dockerfile-inline": dockerfile,
        "args": {"BASE": image.base if image.stands_on_ours else image.base_reference},
        "labels": dict(sorted(labels.items())),
        "platforms": list(image.platforms),
        "tags": list(image.local_tags),
    }
    if image.stands_on_ours:
        target["contexts"] = {image.base: f"target:{_target_name(image.base)}"}
    return target


def _labels(image: Image) -> dict[str, str]:
    base = image.base_tag if image.stands_on_ours else image.base
    labels = {f"{OCI}.version": image.version, f"{OCI}.base.name": base}
    return {**labels, f"{OCI}.base.digest": image.digest} if image.digest else labels


def _target_name(name: str) -> str:
    """Return a name that bake takes, which takes no dots."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _literal(value: Any) -> Any:
    """Mark what bake would take for its own variables, such as ${BASE}, as text."""
    match value:
        case str():
            return value.replace("${", "$${").replace("%{", "%%{")
        case list():
            return [_literal(item) for item in value]
        case dict():
            return {key: _literal(item) for key, item in value.items()}
    return value
