# SPDX-License-Identifier: Apache-2.0
"""Renders Dockerfiles from an image and its family's template: the same text every time."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound

from slipway.images import escape
from slipway.images.errors import ImageError
from slipway.images.image import Context, Image
from slipway.images.matrix import DOCKERFILES
from slipway.lab.paths import PROJECT

TEMPLATES = DOCKERFILES / "templates"
RENDERED = DOCKERFILES / "rendered"
IGNORE_HEADER = "# Rendered from dockerfiles/images.yml: what builds may copy from here."
IGNORED = "**/__pycache__"
# Macros leave some more than one.
BLANK_LINES = re.compile(r"\n{3,}")


def render(image: Image, *, buildkit: bool = False) -> str:
    """Return the Dockerfile of an image; buildkit keeps fetched packages in caches, which other builders refuse.

    Raises ImageError where the family has no template, or the template asks for what is not there.
    """
    try:
        text = _environment().get_template(f"{image.family}.Dockerfile.j2").render(image=image, buildkit=buildkit)
    except TemplateNotFound as error:
        families = sorted(path.name.partition(".")[0] for path in TEMPLATES.glob("*.Dockerfile.j2"))
        raise ImageError(
            f"{image.name} is of the family {image.family}, for which there is no template. "
            f"There are {', '.join(families)}; a new one is {TEMPLATES.name}/{error.name}."
        ) from error
    except TemplateError as error:
        raise ImageError(f"{image.name} cannot be rendered by the template of {image.family}: {error}.") from error
    return BLANK_LINES.sub("\n\n", text).strip() + "\n"


def files(images: Iterable[Image]) -> dict[Path, str]:
    """Return each rendered file's path and text: Dockerfiles, and in the folders that builds copy from .dockerignore.

    Raises ImageError where two images want different things of one folder.
    """
    texts: dict[Path, str] = {}
    for image in images:
        texts[RENDERED / image.name / "Dockerfile"] = render(image)
        if image.context:
            path = PROJECT / image.context.path / ".dockerignore"
            if texts.setdefault(path, _dockerignore(image.context)) != _dockerignore(image.context):
                raise ImageError(
                    f"{image.name} and another image include different parts of the folder {image.context.path}: "
                    "give both the same include, or folders of their own."
                )
    return texts


def _dockerignore(context: Context) -> str:
    """Let through what the context includes, and no more."""
    return "".join(f"{line}\n" for line in (IGNORE_HEADER, "*", *(f"!{path}" for path in context.include), IGNORED))


def write(images: Iterable[Image]) -> list[Path]:
    """Write what is stale and remove what no image has any more; return the paths of both."""
    wanted = files(images)
    outdated = [path for path, text in wanted.items() if _text(path) != text]
    for path in outdated:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    orphans = [path for path in _committed() if path not in wanted]
    for path in orphans:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return outdated + orphans


def stale(images: Iterable[Image]) -> str:
    """Return a unified diff from the files as they are to what would be rendered; nothing when they agree."""
    wanted = files(images)
    return "".join(
        line
        for path in sorted({*wanted, *_committed()})
        for line in difflib.unified_diff(
            _text(path).splitlines(keepends=True),
            wanted.get(path, "").splitlines(keepends=True),
            fromfile=f"{path.relative_to(PROJECT)} (as it is)",
            tofile=f"{path.relative_to(PROJECT)} (rendered)",
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # this is no HTML; every value goes through a filter of `escape`
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "quoted": escape.quoted,
        "exec_form": escape.exec_form,
        "shell_word": escape.shell_word,
    }
    return environment


def _committed() -> list[Path]:
    """The Dockerfiles that are there, those of images that are no more included."""
    return sorted(path for path in RENDERED.rglob("*") if path.is_file())


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
