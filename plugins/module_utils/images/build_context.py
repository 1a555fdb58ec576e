# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Build contexts: checks, content keys, and the tar archives that the engine builds from."""

import contextlib
import errno
import hashlib
import os
import re
import stat
import tarfile

from ansible_collections.slipway.platform.plugins.module_utils.images import names as image_names
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import opening
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import RegistryNameError

DOCKERFILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"
FROM = re.compile(
    rb"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?P<image>\S+)(?:[ \t]+AS[ \t]+(?P<stage>\S+))?[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
# Lines that the engine removes first: also those within a continued instruction, and with a backslash at their end.
COMMENT = re.compile(rb"^[ \t]*#.*(?:\n|\Z)", re.MULTILINE)
CONTINUATION = re.compile(rb"\\[ \t]*\r?\n")
SCRATCH = b"scratch"
# The size of all files. Without a limit, a sparse file of exabytes would take forever to read.
MAX_BYTES = 16 << 30


class ContextError(Exception):
    """The folder is not a valid build context; the message is for the user."""


@contextlib.contextmanager
def reading(path):
    """Turn read errors into a ContextError that names the path."""
    try:
        yield
    except (OSError, UnicodeEncodeError) as error:
        shown = path.encode("utf-8", "backslashreplace").decode()
        reason = getattr(error, "strerror", None) or error
        raise ContextError(f"{shown} cannot be read ({reason}): correct that and run again") from error


@contextlib.contextmanager
def opened(folder):
    """Yield a descriptor of the folder, without following links that another user may have created."""
    with reading(folder):
        top = opening.folder_of_root(folder)
    try:
        yield top
    finally:
        os.close(top)


def require_folder(folder):
    """Raise ContextError if the folder has no Dockerfile, or a .dockerignore, which only the Docker CLI evaluates."""
    if not os.path.isdir(folder):
        raise ContextError(f"the folder {folder} does not exist on this host: copy it to the host first")
    with opened(folder) as top:
        try:
            read_dockerfile(top)
        except OSError as error:
            raise ContextError(
                f"{folder} has no usable {DOCKERFILE} ({error.strerror}): add a file of this name"
            ) from error
        if IGNORE_FILE in os.listdir(top):
            raise ContextError(
                f"{folder} has a {IGNORE_FILE}, which is not supported: remove it and the files that it excludes"
            )


def read_dockerfile(top):
    """Read the Dockerfile of an open folder as bytes; a link within the folder is followed. Raises OSError."""
    names = (opening.target_of(DOCKERFILE, top) or DOCKERFILE).split("/")
    if ".." in names:
        raise OSError(errno.ELOOP, "it is a link to a path outside the folder")
    with opening.folder_below(top, names[:-1]) as folder:
        descriptor = opening.regular_file(names[-1], folder=folder)
    with open(descriptor, "rb") as stream:
        return opening.read(stream)


def base_registries(folder):
    """Return the config.json keys of the registries of the Dockerfile's base images. Raises ContextError."""
    keys = set()
    with opened(folder) as top, reading(os.path.join(folder, DOCKERFILE)):
        names = base_images(read_dockerfile(top))
    for name in names:
        with contextlib.suppress(RegistryNameError):  # the engine has a better message for it
            keys.add(image_names.registry_key(name.decode("utf-8", "surrogateescape")))
    return keys


def base_images(dockerfile):
    """The names of base images in a Dockerfile, without scratch, earlier stages, and names that contain an ARG."""
    stages, names = {SCRATCH}, []
    for found in FROM.finditer(CONTINUATION.sub(b" ", COMMENT.sub(b"", dockerfile))):
        if found.group("image").lower() not in stages and b"$" not in found.group("image"):
            names.append(found.group("image"))
        stages.add((found.group("stage") or b"").lower())
    return names


class Digest:
    """A writable file object that hashes what is written to it, and copies it to an optional target."""

    def __init__(self, target=None):
        self.hash = hashlib.sha256()
        self.size = 0
        self.target = target

    def write(self, data):
        self.hash.update(data)
        self.size += len(data)
        if self.target:
            self.target.write(data)

    def tell(self):
        return self.size


def content_key(folder):
    """Return the SHA-256 of names, types, modes and contents; owners and times are ignored. Raises ContextError."""
    return pack(folder, Digest())


def write_archive(folder, target):
    """Write the folder as a tar archive to an open file; return its content key. Raises ContextError."""
    return pack(folder, Digest(target))


def pack(folder, digest):
    with opened(folder) as top, tarfile.open(fileobj=digest, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, descriptor, path in members(top, folder):
            with reading(path):
                if descriptor is None:
                    archive.addfile(member)
                else:
                    with open(descriptor, "rb") as content:
                        archive.addfile(member, content)
    return digest.hash.hexdigest()


def members(top, folder):
    """Yield (tarfile.TarInfo, file descriptor or None, path) for everything in the folder, in a stable order.

    The caller closes the descriptors.
    """
    pending, size = [[]], 0  # type: tuple[list[list[str]], int]
    while pending:
        names = pending.pop()
        parent = os.path.join(folder, *names)
        below = []
        with reading(parent), opening.folder_below(top, names) as here:
            for name in sorted(os.listdir(here)):
                path = os.path.join(parent, name)
                with reading(path):
                    member, descriptor = member_of(here, name, path)
                member.name = "/".join([*names, name])
                size += member.size
                if size > MAX_BYTES:
                    os.close(descriptor)
                    raise ContextError(f"{folder} holds more than {MAX_BYTES >> 30} GiB: move large files out of it")
                if member.isdir():
                    below.append([*names, name])
                yield member, descriptor, path
        pending.extend(reversed(below))


def member_of(folder, name, path):
    """Return the tarfile.TarInfo of an entry of an open folder, and a descriptor if it is a regular file.

    Everything is owned by root, as with docker build.
    """
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    member, descriptor = tarfile.TarInfo(), None
    if stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)
    elif stat.S_ISREG(found.st_mode):
        descriptor = opening.regular_file(name, folder=folder)
        found = os.fstat(descriptor)
        member.size = found.st_size
        if is_planted(found, os.fstat(folder)):
            os.close(descriptor)
            raise ContextError(
                f"{path} is readable by root only, but in a folder where other users can write, so one of them may "
                "have placed it there: change its owner to that of the folder"
            )
    else:
        raise ContextError(f"{path} is not a file, folder or link: move it out of the folder")
    member.mode = stat.S_IMODE(found.st_mode)
    return member, descriptor


def is_planted(file, folder):
    """Whether another user may have moved or linked a file into the folder that only root can read."""
    is_private = file.st_uid in (0, os.geteuid()) and not file.st_mode & stat.S_IROTH
    is_foreign = folder.st_uid not in (0, os.geteuid()) or file.st_nlink > 1
    return is_private and is_foreign and opening.is_open_to_others(folder)
