# SPDX-License-Identifier: Apache-2.0
"""Renders Dockerfiles from an image and its family's template: the same text every time."""

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound

from slipway.images import escape
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.matrix import DOCKERFILES

TEMPLATES = DOCKERFILES / "templates"
RENDERED = DOCKERFILES / "rendered"
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


def dockerignore(image: Image) -> str:
    """Return the .dockerignore of an image: it lets through what the image's context includes, and no more."""
    included = image.context.include if image.context else ()
    return "".join(f"{line}\n" for line in ("*", *(f"!{path}" for path in included), "**/__pycache__"))


def files(images: Iterable[Image]) -> Iterator[tuple[Path, str]]:
    """Yield each rendered file's path and text. The second name is what BuildKit looks for beside a Dockerfile."""
    for image in images:
        folder = RENDERED / image.name
        yield folder / "Dockerfile", render(image)
        yield folder / "Dockerfile.dockerignore", dockerignore(image)


def write(images: Iterable[Image]) -> list[Path]:
    """Write what is stale and remove what no image has any more; return the paths of both."""
    wanted = dict(files(images))
    stale = [path for path, text in wanted.items() if _text(path) != text]
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    orphans = [path for path in _committed() if path not in wanted]
    for path in orphans:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return stale + orphans


def stale(images: Iterable[Image]) -> str:
    """Return a unified diff from the files as they are to what would be rendered; nothing when they agree."""
    wanted = dict(files(images))
    return "".join(
        line
        for path in sorted({*wanted, *_committed()})
        for line in difflib.unified_diff(
            _text(path).splitlines(keepends=True),
            wanted.get(path, "").splitlines(keepends=True),
            fromfile=f"{path.relative_to(DOCKERFILES.parent)} (as it is)",
            tofile=f"{path.relative_to(DOCKERFILES.parent)} (rendered)",
        )
    )


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
    return sorted(path for path in RENDERED.rglob("*") if path.is_file())


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
