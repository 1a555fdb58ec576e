# SPDX-License-Identifier: Apache-2.0
"""dockerfiles/rendered is the golden copy of every image; golden/ here is that of the other form, for BuildKit."""

from dataclasses import replace
from pathlib import Path

import pytest

from slipway.images import lint, matrix, render
from slipway.images.errors import ImageError
from slipway.images.image import Context

GOLDEN = Path(__file__).with_name("golden")
IMAGES = matrix.load()
FAMILIES = sorted({image.family: image.name for image in reversed(IMAGES.values())}.items())


def test_what_is_committed_is_what_is_rendered() -> None:
    assert render.stale(IMAGES.values()) == ""


def test_every_template_has_an_image_that_uses_it() -> None:
    assert [family for family, _ in FAMILIES] == sorted(
        path.name.removesuffix(".Dockerfile.j2") for path in render.TEMPLATES.glob("*.Dockerfile.j2")
    )


@pytest.mark.parametrize(("family", "name"), FAMILIES)
def test_the_form_for_buildkit_is_the_golden_one(family: str, name: str) -> None:
    assert render.render(IMAGES[name], buildkit=True) == (GOLDEN / f"{family}.Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    assert lint.problems(IMAGES.values()) == []


def test_what_hadolint_finds_is_told_with_the_image() -> None:
    plain, buildkit = lint.problems([replace(IMAGES["node"], ports=(70000,))])
    assert "node: " in plain and "DL3011 error: Valid UNIX ports" in plain
    assert buildkit.startswith("node (BuildKit): ")


def test_an_unpinned_base_is_named_by_its_tag_and_a_pinned_one_by_both() -> None:
    image = IMAGES["base-9"]
    assert "ARG BASE=quay.io/centos/centos:stream9\n" in render.render(replace(image, digest=None))
    digest = "sha256:" + "a" * 64
    assert f"ARG BASE=quay.io/centos/centos:stream9@{digest}\n" in render.render(replace(image, digest=digest))


def test_a_family_without_a_template_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ImageError, match=r"family pyhton, for which there is no template. There are app, base, "):
        render.render(replace(IMAGES["app"], family="pyhton"))


def test_two_images_may_not_want_different_files_of_one_folder() -> None:
    other = replace(IMAGES["app"], name="other", context=Context("dockerfiles/contexts/app", ("service.py",)))
    with pytest.raises(ImageError, match="other and another image include different parts"):
        render.files([IMAGES["app"], other])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(render, "PROJECT", tmp_path)
    monkeypatch.setattr(render, "RENDERED", tmp_path / "rendered")
    return tmp_path


def test_a_stale_file_shows_as_a_unified_diff_until_it_is_written(project: Path) -> None:
    images = [IMAGES["node"]]
    render.write(images)
    dockerfile = project / "rendered/node/Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace('CMD ["node"]', 'CMD ["sh"]'))
    diff = render.stale(images)
    assert diff.startswith("--- rendered/node/Dockerfile (as it is)\n+++ rendered/node/Dockerfile (rendered)\n@@ ")
    assert '-CMD ["sh"]\n+CMD ["node"]\n' in diff
    assert render.write(images) == [dockerfile]
    assert render.stale(images) == ""


def test_the_dockerfile_of_an_image_that_is_no_more_is_stale_and_goes(project: Path) -> None:
    render.write([IMAGES["node"], IMAGES["java"]])
    assert "--- rendered/java/Dockerfile (as it is)" in render.stale([IMAGES["node"]])
    render.write([IMAGES["node"]])
    assert [path.name for path in (project / "rendered").iterdir()] == ["node"]
