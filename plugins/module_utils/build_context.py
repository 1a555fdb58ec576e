# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the folder that an image is built from: what it holds, as one key, and as the archive that the engine takes."""

import contextlib
import hashlib
import io
import os
import re
import stat
import tarfile

from ansible_collections.slipway.platform.plugins.module_utils import file_io, image_names
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import RegistryNameError

DOCKERFILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"
# Stages and base images; a name that an ARG makes up is not known here.
FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*([^\s$]+)(?![^\s])", re.IGNORECASE | re.MULTILINE)
BLOCK_BYTES = 1024 * 1024


class ContextError(Exception):
    """Nothing can be built from the folder; the text is the sentence for the user."""


def require_folder(folder):
    """Refuse what holds no Dockerfile, and what the engine would read otherwise than the docker command does."""
    if not os.path.isdir(folder):
        raise ContextError(f"the folder {folder} does not exist on this host: copy it there first")
    if not os.path.isfile(os.path.join(folder, DOCKERFILE)):
        raise ContextError(f"{folder} holds no {DOCKERFILE}: put one there, under this name")
    if os.path.lexists(os.path.join(folder, IGNORE_FILE)):
        raise ContextError(f"{folder} has a {IGNORE_FILE}, which is not read: remove it and what it names")


def base_registries(folder):
    """The keys in config.json of the registries from which the Dockerfile takes its base images."""
    keys = set()
    for name in FROM.findall(file_io.read_text(os.path.join(folder, DOCKERFILE)) or ""):
        with contextlib.suppress(RegistryNameError):  # the engine has a better sentence for it
            keys.add(image_names.registry_key(name))
    return keys


def content_key(folder):
    """A hash of names, types, permissions and contents. Owners and times do not count, as in the image."""
    key = hashlib.sha256()
    try:
        for member in members(folder):
            key.update(f"{member.name}\0{member.type!r}\0{member.mode:o}\0{member.linkname}\0{member.size}\0".encode())
            if member.isreg():
                add_file(key, os.path.join(folder, member.name))
    except (OSError, UnicodeEncodeError) as error:
        raise ContextError(f"{folder} cannot be read ({error}): correct that first") from error
    return key.hexdigest()


def add_file(key, path):
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            key.update(block)


def write_archive(folder, target):
    """Write the folder as a tar archive into an open file."""
    try:
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member in members(folder):
                with open(os.path.join(folder, member.name), "rb") if member.isreg() else io.BytesIO() as content:
                    archive.addfile(member, content)
    except (OSError, UnicodeEncodeError) as error:
        raise ContextError(f"{folder} cannot be read ({error}): correct that first") from error


def members(folder):
    """Yield everything below the folder, always in the same order."""
    for parent, folders, files in os.walk(folder, onerror=fail):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(parent, name)
            yield member_of(path, os.path.relpath(path, folder))


def fail(error):
    raise error


def member_of(path, name):
    """How the archive describes a file, a folder or a link; everything belongs to root, as docker build makes it."""
    found = os.lstat(path)
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)
    elif stat.S_ISREG(found.st_mode):
        member.size = found.st_size
    else:
        raise ContextError(f"{path} is neither a file, a folder nor a link: move it out of the folder")
    return member
