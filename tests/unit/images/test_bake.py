# SPDX-License-Identifier: Apache-2.0
"""The text of the bake file. tests/lab proves that buildx accepts it."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from slipway.images import bake, context
from slipway.images.bake import bake_file
from slipway.images.errors import ImageError
from slipway.images.image import Context
from tests.support.tiny_images import matrix, tiny

IMAGES = matrix(tiny("base-3.12"), tiny("app", "base-3.12", base_tag="slipway.invalid/base:3.12"))
LABELS = {"org.opencontainers.image.revision": "0" * 40}


def text(dockerfile: str = "ARG BASE\nFROM ${BASE}\n") -> str:
    return bake_file(IMAGES, lambda _: dockerfile, LABELS)


def test_the_text_is_deterministic() -> None:
    assert text() == text()


def test_a_local_base_is_linked_to_its_target() -> None:
    app = json.loads(text())["target"]["app"]
    assert app["args"] == {"BASE": "base-3.12"}
    assert app["contexts"] == {"base-3.12": "target:base-3_12"}
    assert app["labels"]["org.opencontainers.image.base.name"] == "slipway.invalid/base:3.12"


def test_tags_are_local_names_unless_a_registry_is_named() -> None:
    assert json.loads(text())["target"]["app"]["tags"][-1] == "slipway.invalid/app:latest"
    pushed = json.loads(bake_file(IMAGES, lambda _: "", LABELS, "registry.example.com/team"))
    assert pushed["target"]["app"]["tags"][-1] == "registry.example.com/team/app:latest"


def test_the_default_group_holds_every_image_under_a_valid_target_name() -> None:
    content = json.loads(text())
    assert content["group"]["default"]["targets"] == list(content["target"]) == ["base-3_12", "app"]


def test_a_pinned_base_is_pulled_by_its_digest() -> None:
    digest = "sha256:" + "a" * 64
    pinned = matrix(replace(IMAGES["base-3.12"], digest=digest))
    target = json.loads(bake_file(pinned, lambda _: "", LABELS))["target"]["base-3_12"]
    assert target["args"]["BASE"] == f"slipway/hello@{digest}"
    assert target["labels"]["org.opencontainers.image.base.digest"] == digest


def test_variables_of_the_dockerfile_are_escaped_for_bake() -> None:
    target = json.loads(text('FROM ${BASE}\nRUN echo "%{x}" $HOME\n'))["target"]["app"]
    assert target["dockerfile-inline"] == 'FROM $${BASE}\nRUN echo "%%{x}" $HOME\n'


def test_a_context_that_is_a_link_out_of_the_project_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: the folder of a build context is a link to `/etc`, and buildx builds. Outcome: no bake file is written."""
    (tmp_path / "app").symlink_to("/etc")
    monkeypatch.setattr(bake, "folder_of", partial(context.folder_of, project=tmp_path))
    images = matrix(tiny("app", context=Context("app", ("passwd",))))
    with pytest.raises(ImageError, match="app: the context app resolves to /etc, outside the project"):
        bake_file(images, lambda _: "", LABELS)
