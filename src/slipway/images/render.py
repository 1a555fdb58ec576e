# SPDX-License-Identifier: Apache-2.0
"""Renders the Dockerfile of an image from the template of its family; the output is deterministic."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound

from slipway.images import escape
from slipway.images.context import folder_of
from slipway.images.errors import ImageError
from slipway.images.image import Context, Image
from slipway.images.matrix import DOCKERFILES
from slipway.lab.paths import PROJECT

TEMPLATES = DOCKERFILES / "templates"
RENDERED = DOCKERFILES / "rendered"
IGNORE_HEADER = "# Rendered from dockerfiles/images.yml: what builds may copy from here."
ALWAYS_IGNORED = "**/__pycache__"
# Macros can leave several in a row.
BLANK_LINES = re.compile(r"\n{3,}")


def render(image: Image, *, buildkit: bool = False) -> str:
    """Return the Dockerfile of an image; buildkit uses cache mounts, which other builders reject.

    Raises ImageError if the family has no template, or the template uses an undefined value.
    """
    try:
        text = _environment().get_template(f"{image.family}.Dockerfile.j2").render(image=image, buildkit=buildkit)
    except TemplateNotFound as error:
        families = sorted(path.name.partition(".")[0] for path in TEMPLATES.glob("*.Dockerfile.j2"))
        raise ImageError(
            f"{image.name} has the family {image.family}, which has no template: "
            f"use one of {', '.join(families)}, or add dockerfiles/{TEMPLATES.name}/{error.name}."
        ) from error
    except (TemplateError, TypeError, ValueError) as error:
        raise ImageError(
            f"{image.name} cannot be rendered with the template of family {image.family}: {error}."
        ) from error
    return BLANK_LINES.sub("\n\n", text).strip() + "\n"


def files(images: Iterable[Image]) -> dict[Path, str]:
    """Return the text of each rendered file by path: the Dockerfiles, and the .dockerignore of each context folder.

    Raises ImageError if two images include different parts of one folder.
    """
    texts: dict[Path, str] = {}
    for image in images:
        texts[RENDERED / image.name / "Dockerfile"] = render(image)
        if image.context:
            path = folder_of(image.name, image.context) / ".dockerignore"
            if texts.setdefault(path, _dockerignore(image.context)) != _dockerignore(image.context):
                raise ImageError(
                    f"{image.name} and another image include different parts of the folder {image.context.path}: "
                    "give both the same include, or separate folders."
                )
    return texts


def _dockerignore(context: Context) -> str:
    """Return a .dockerignore that excludes everything but the included paths."""
    return "".join(
        f"{line}\n" for line in (IGNORE_HEADER, "*", *(f"!{path}" for path in context.include), ALWAYS_IGNORED)
    )


class Changes(NamedTuple):
    """The files that `write` changed."""

    written: list[Path]
    removed: list[Path]


def write(images: Iterable[Image]) -> Changes:
    """Write stale files and remove those of former images."""
    wanted = files(images)
    outdated = [path for path, text in wanted.items() if _text(path) != text]
    for path in outdated:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    orphans = [path for path in _rendered_files() if path not in wanted]
    for path in orphans:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return Changes(outdated, orphans)


def stale(images: Iterable[Image]) -> str:
    """Return a unified diff from the current files to the rendered ones, or "" if they agree."""
    wanted = files(images)
    return "".join(
        line
        for path in sorted({*wanted, *_rendered_files()})
        for line in difflib.unified_diff(
            _text(path).splitlines(keepends=True),
            wanted.get(path, "").splitlines(keepends=True),
            fromfile=f"{path.relative_to(PROJECT)} (current)",
            tofile=f"{path.relative_to(PROJECT)} (rendered)",
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # not HTML: templates use the filters of `escape`
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "quoted": escape.quoted,
        "exec_form": escape.exec_form,
        "shell_word": escape.shell_word,
    }
    return environment


def _rendered_files() -> list[Path]:
    """Return the existing files below rendered/, including those of former images."""
    return sorted(path for path in RENDERED.rglob("*") if path.is_file())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
