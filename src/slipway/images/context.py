# SPDX-License-Identifier: Apache-2.0
"""The build context sent to the engine: the Dockerfile and the files listed in the matrix, nothing else.

The archive is reproducible: sorted, owned by root, with mtime 0 and the two file modes that git stores. File names may
be any bytes, as on the disk.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from slipway.images.errors import ImageError
from slipway.images.image import Context, Image
from slipway.lab.paths import PROJECT

# Control files of the build. The second excludes both from `COPY .`.
DOCKERFILE, IGNORE = ".slipway.Dockerfile", ".dockerignore"
EXCLUDED = "__pycache__"


def archive(image: Image, dockerfile: str, project: Path = PROJECT) -> bytes:
    """Return the tar archive. Raises ImageError if an included file is missing, unreadable or outside the folder."""
    buffer = io.BytesIO()
    files = sorted(_files(image, project).items())
    with tarfile.open(fileobj=buffer, mode="w", format=_format(files)) as tar:
        for name, text in ((DOCKERFILE, dockerfile), (IGNORE, f"{DOCKERFILE}\n{IGNORE}\n")):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(_normalize(member), io.BytesIO(text.encode()))
        for name, path in files:
            try:
                tar.add(path, name, recursive=False, filter=_normalize)
            except OSError as error:
                raise ImageError(
                    f"{image.name}: the context file {path} cannot be read ({error.strerror}): make it readable, or "
                    "do not include it."
                ) from error
            tar.inodes.clear()  # type: ignore[attr-defined]  # send hard links as regular files
    return buffer.getvalue()


def _format(files: Iterable[tuple[str, Path]]) -> int:
    """Return the format of an archive. That of GNU has any name as it is; pax has no form that the engine reads."""
    for name, path in files:
        try:
            f"{name}{path.readlink() if path.is_symlink() else ''}".encode()
        except UnicodeEncodeError:
            return tarfile.GNU_FORMAT
    return tarfile.PAX_FORMAT


def folder_of(name: str, context: Context, project: Path = PROJECT) -> Path:
    """Return the context folder of an image. Raises ImageError if a link leads out of the project."""
    folder = project / context.path
    if not folder.resolve().is_relative_to(project.resolve()):
        raise ImageError(
            f"{name}: the context {context.path} resolves to {folder.resolve()}, outside the project: "
            "replace the link with a folder that holds the files."
        )
    return folder


def _files(image: Image, project: Path) -> dict[str, Path]:
    """Return the included files by their name in the archive."""
    if not image.context:
        return {}
    folder = folder_of(image.name, image.context, project)
    return {
        path.relative_to(folder).as_posix(): path
        for include in image.context.include
        for path in _included(image, folder, include)
        if path.relative_to(folder).as_posix() != IGNORE
    }


def _included(image: Image, folder: Path, include: str) -> Iterator[Path]:
    """Yield an included file, or an included folder and everything below it."""
    top = folder / include
    if not top.is_symlink() and not top.exists():
        raise ImageError(
            f"{image.name}: the context includes {include}, which does not exist in {folder}: "
            "add the file, or remove it from the list."
        )
    below = top.rglob("*") if top.is_dir() and not top.is_symlink() else ()
    for path in (top, *below):
        if EXCLUDED in path.relative_to(folder).parts:
            continue
        try:
            target = path.resolve()
        except (OSError, RuntimeError):
            target = path
        if target.is_symlink():  # a loop, where Python 3.12 raises RuntimeError and 3.13 nothing
            raise ImageError(f"{image.name}: {path} is a link that leads to itself: remove it.")
        if not target.is_relative_to(folder.resolve()) or (path.is_symlink() and path.readlink().is_absolute()):
            raise ImageError(
                f"{image.name}: {path} resolves to {target}, outside the context {folder}: "
                "include the file itself, or use a relative link within the folder."
            )
        yield path


def _normalize(member: tarfile.TarInfo) -> tarfile.TarInfo:
    executable = member.isdir() or member.issym() or member.mode & 0o100
    member.mode = 0o755 if executable else 0o644
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
