# SPDX-License-Identifier: Apache-2.0
"""What is sent to the engine for one build: the Dockerfile and the files that the matrix names, and nothing else.

The archive is the same on every machine: sorted, of root, at time 0, with the two modes that git knows.
"""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.lab.paths import PROJECT

# What steers the build; a Dockerfile that says COPY . gets neither, since the second file excludes both.
DOCKERFILE, IGNORE = ".slipway.Dockerfile", ".dockerignore"
LEFT_OUT = "__pycache__"


def archive(image: Image, dockerfile: str, project: Path = PROJECT) -> bytes:
    """Return the tar archive. Raises ImageError for an included file that is missing or leads out of the folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in ((DOCKERFILE, dockerfile), (IGNORE, f"{DOCKERFILE}\n{IGNORE}\n")):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(_normal(member), io.BytesIO(text.encode()))
        for name, path in sorted(_files(image, project).items()):
            tar.add(path, name, recursive=False, filter=_normal)
            tar.inodes.clear()  # type: ignore[attr-defined]  # a hard link is sent as the file that it is
    return buffer.getvalue()


def _files(image: Image, project: Path) -> dict[str, Path]:
    """Return what is sent beside the Dockerfile, by its name in the archive."""
    if not image.context:
        return {}
    folder = project / image.context.path
    return {
        path.relative_to(folder).as_posix(): path
        for include in image.context.include
        for path in _included(image, folder, include)
        if path.relative_to(folder).as_posix() != IGNORE
    }


def _included(image: Image, folder: Path, include: str) -> Iterator[Path]:
    """Yield an included file, or an included folder with all below it."""
    top = folder / include
    if not top.is_symlink() and not top.exists():
        raise ImageError(
            f"{image.name}: the context includes {include}, and {folder} has none: add it, or take it off the list."
        )
    below = top.rglob("*") if top.is_dir() and not top.is_symlink() else ()
    for path in (top, *below):
        if LEFT_OUT in path.relative_to(folder).parts:
            continue
        if not path.resolve().is_relative_to(folder.resolve()) or (path.is_symlink() and path.readlink().is_absolute()):
            raise ImageError(
                f"{image.name}: {path} leads to {path.resolve()}, out of the context {folder}: "
                "include the file itself, or make the link a relative one within the folder."
            )
        yield path


def _normal(member: tarfile.TarInfo) -> tarfile.TarInfo:
    executable = member.isdir() or member.issym() or member.mode & 0o100
    member.mode = 0o755 if executable else 0o644
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
