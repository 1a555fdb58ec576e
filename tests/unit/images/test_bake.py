# SPDX-License-Identifier: Apache-2.0
"""The bake file's text. That buildx takes it is proven in tests/lab."""

import json
from dataclasses import replace

from slipway.images.bake import bake_file
from tests.tiny_images import matrix, tiny

IMAGES = matrix(tiny("base-3.12"), tiny("app", "base-3.12", base_tag="slipway/base:3.12"))
LABELS = {"org.opencontainers.image.revision": "0" * 40}


def text(dockerfile: str = "ARG BASE\nFROM ${BASE}\n") -> str:
    return bake_file(IMAGES, lambda _: dockerfile, LABELS)


def test_it_is_the_same_text_every_time() -> None:
    assert text() == text()


def test_an_image_on_ours_gets_it_from_its_target_and_waits_for_it() -> None:
    app = json.loads(text())["target"]["app"]
    assert app["args"] == {"BASE": "base-3.12"}
    assert app["contexts"] == {"base-3.12": "target:base-3_12"}
    assert app["labels"]["org.opencontainers.image.base.name"] == "slipway/base:3.12"


def test_every_image_is_of_the_default_group_under_a_name_that_bake_takes() -> None:
    content = json.loads(text())
    assert content["group"]["default"]["targets"] == list(content["target"]) == ["base-3_12", "app"]


def test_a_pinned_base_is_pulled_by_its_digest() -> None:
    digest = "sha256:" + "a" * 64
    pinned = matrix(replace(IMAGES["base-3.12"], digest=digest))
    target = json.loads(bake_file(pinned, lambda _: "", LABELS))["target"]["base-3_12"]
    assert target["args"]["BASE"] == f"slipway/hello@{digest}"
    assert target["labels"]["org.opencontainers.image.base.digest"] == digest


def test_the_dockerfiles_variables_are_not_for_bake() -> None:
    target = json.loads(text('FROM ${BASE}\nRUN echo "%{x}" $HOME\n'))["target"]["app"]
    assert target["dockerfile-inline"] == 'FROM $${BASE}\nRUN echo "%%{x}" $HOME\n'
