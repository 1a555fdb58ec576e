# SPDX-License-Identifier: Apache-2.0
"""dockerfiles/rendered holds the golden copies of all images; golden/ here holds those of the BuildKit form."""

from dataclasses import replace
from pathlib import Path

import pytest

from slipway.images import __main__ as command_line
from slipway.images import lint, matrix, render
from slipway.images.errors import ImageError
from slipway.images.image import Context

GOLDEN = Path(__file__).with_name("golden")
IMAGES = matrix.load()
FAMILIES = sorted({image.family: image.name for image in reversed(IMAGES.values())}.items())


def test_the_committed_dockerfiles_are_current() -> None:
    assert render.stale(IMAGES.values()) == ""


def test_every_template_has_an_image_that_uses_it() -> None:
    assert [family for family, _ in FAMILIES] == sorted(
        path.name.removesuffix(".Dockerfile.j2") for path in render.TEMPLATES.glob("*.Dockerfile.j2")
    )


@pytest.mark.parametrize(("family", "name"), FAMILIES)
def test_the_buildkit_form_matches_the_golden_copy(family: str, name: str) -> None:
    assert render.render(IMAGES[name], buildkit=True) == (GOLDEN / f"{family}.Dockerfile").read_text()


@pytest.mark.program
def test_hadolint_finds_nothing() -> None:
    assert lint.problems(IMAGES.values()) == []


@pytest.mark.program
def test_findings_of_hadolint_name_the_image() -> None:
    plain, buildkit = lint.problems([replace(IMAGES["node"], ports=(70000,))])
    assert "node: " in plain and "DL3011 error: Valid UNIX ports" in plain
    assert buildkit.startswith("node (BuildKit): ")


def test_a_base_is_referenced_by_tag_and_if_pinned_also_by_digest() -> None:
    image = IMAGES["base-9"]
    assert "ARG BASE=quay.io/centos/centos:stream9\n" in render.render(replace(image, digest=None))
    digest = "sha256:" + "a" * 64
    assert f"ARG BASE=quay.io/centos/centos:stream9@{digest}\n" in render.render(replace(image, digest=digest))


def test_a_family_without_a_template_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ImageError, match=r"family pyhton, which has no template: use one of app, base, "):
        render.render(replace(IMAGES["app"], family="pyhton"))


def test_two_images_with_different_parts_of_one_folder_are_rejected() -> None:
    other = replace(IMAGES["app"], name="other", context=Context("dockerfiles/contexts/app", ("service.py",)))
    with pytest.raises(ImageError, match="other and another image include different parts"):
        render.files([IMAGES["app"], other])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(render, "PROJECT", tmp_path)
    monkeypatch.setattr(render, "RENDERED", tmp_path / "rendered")
    return tmp_path


def test_a_stale_file_is_shown_as_a_diff_until_it_is_written(project: Path) -> None:
    images = [IMAGES["node"]]
    render.write(images)
    dockerfile = project / "rendered/node/Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace('CMD ["node"]', 'CMD ["sh"]'))
    diff = render.stale(images)
    assert diff.startswith("--- rendered/node/Dockerfile (current)\n+++ rendered/node/Dockerfile (rendered)\n@@ ")
    assert '-CMD ["sh"]\n+CMD ["node"]\n' in diff
    assert render.write(images) == ([dockerfile], [])
    assert render.stale(images) == ""


def test_the_dockerfile_of_a_removed_image_is_stale_and_is_deleted(project: Path) -> None:
    render.write([IMAGES["node"], IMAGES["java"]])
    assert "--- rendered/java/Dockerfile (current)" in render.stale([IMAGES["node"]])
    assert render.write([IMAGES["node"]]) == ([], [project / "rendered/java/Dockerfile"])
    assert [path.name for path in (project / "rendered").iterdir()] == ["node"]


def test_a_rendered_file_in_another_encoding_is_stale(project: Path) -> None:
    render.write([IMAGES["node"]])
    dockerfile = project / "rendered/node/Dockerfile"
    dockerfile.write_bytes(b"\xff" + dockerfile.read_bytes())
    assert "--- rendered/node/Dockerfile (current)" in render.stale([IMAGES["node"]])
    assert render.write([IMAGES["node"]]) == ([dockerfile], [])


def test_the_command_calls_a_removal_a_removal(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fault: an entry is removed from `images.yml`. Outcome: `render` says that it removed the image's Dockerfile."""
    render.write([IMAGES["node"], IMAGES["java"]])
    (project / "rendered/node/Dockerfile").unlink()
    monkeypatch.setattr(matrix, "load", lambda: {"node": IMAGES["node"]})
    monkeypatch.setattr("slipway.images.__main__.console.width", 1000)
    monkeypatch.setattr("sys.argv", ["slipway-images", "render"])
    assert command_line.main() == 0
    assert capsys.readouterr().out.splitlines() == [
        f"[images] rendered {project}/rendered/node/Dockerfile",
        f"[images] removed {project}/rendered/java/Dockerfile: the matrix has no such image",
    ]
