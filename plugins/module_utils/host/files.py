# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Read and write small configuration files atomically."""

import hashlib
import os
import stat
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.host import labels

BLOCK = 1024 * 1024


class WriteError(OSError):
    """A file cannot be written, or is none; str() is the message for the user."""


def read_text(path):
    """Return the text of a file, or None if it does not exist; bytes that are not UTF-8 survive a round trip.

    Raise WriteError if something else is in its place, as a pipe.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="", opener=without_waiting) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) and status.st_rdev != os.makedev(1, 3):  # /dev/null, of a mask
                raise WriteError(f"{path} is a pipe or a device: remove it (rm {path})")
            return stream.read()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError) as error:
        raise not_a_file(path) from error


def without_waiting(path, flags):  # for a pipe
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def sha256(path):
    """Return the SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def not_a_file(path):
    """Return the error about a directory in place of a file, or a file in place of its directory."""
    if os.path.isdir(path):
        return WriteError(
            f"{path} is a directory, which an engine creates when a container mounts a file that does not exist: "
            f"remove it (rmdir {path}), or move it away"
        )
    return WriteError(f"{os.path.dirname(path)} is not a directory: move it away")


def refuse_device(path):
    """Raise WriteError if the path leads to a device, as the link that masks a unit does.

    A file that took the place of /dev/null would fill the disk, and be open to everyone.
    """
    target = os.path.realpath(path)
    mode = os.stat(target).st_mode if os.path.exists(target) else 0
    if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
        return
    if os.path.islink(path):
        raise WriteError(f"{path} is a link to {target}, as that of a masked unit is: remove the link (rm {path})")
    raise WriteError(f"{path} leads to the device {target}: move it away")


def is_up_to_date(path, text, mode):
    """Return whether the file has this text and mode and this process's owner; text None means that it is absent.

    Raise WriteError if something else is in its place.
    """
    if text is None:
        return not os.path.lexists(path)
    refuse_device(path)
    if read_text(path) != text:
        return False
    status = os.stat(path)
    return status.st_mode & 0o7777 == mode and status.st_uid == os.geteuid()


def write_atomically(path, text, mode):
    """Replace a file's content in one step and set its mode; a symbolic link stays, and its target is replaced.

    Raise WriteError.
    """
    refuse_device(path)
    try:
        replace(path, text, mode)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}. Fix this and run again") from error


def replace(path, text, mode):
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    make_directory(directory, 0o755)
    label = labels.wanted(target, stat.S_IFREG)
    descriptor, temporary = tempfile.mkstemp(prefix="." + os.path.basename(target) + ".", dir=directory)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(text)
            os.fchown(descriptor, os.geteuid(), os.getegid())
            os.fchmod(descriptor, mode)
            labels.put(temporary, label)
            stream.flush()
            os.fsync(descriptor)
        os.rename(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)


def make_directory(path, mode):
    """Create the directory with this mode, and missing parents with 0755, whatever the umask is; keep existing ones."""
    if os.path.isdir(path):
        return
    make_directory(os.path.dirname(os.path.abspath(path)), 0o755)
    label = labels.wanted(path, stat.S_IFDIR)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    else:
        os.chmod(path, mode)
        labels.put(path, label)


def remove(path):
    """Remove the file if it exists."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except (IsADirectoryError, NotADirectoryError) as error:
        raise not_a_file(path) from error
    sync_directory(os.path.dirname(path))


def remove_if_empty(directory):
    """Remove the directory if it exists and is empty."""
    try:
        os.rmdir(directory)
    except OSError:
        return
    sync_directory(os.path.dirname(directory))


def put(path, text, mode):
    """Write the file, or remove it if text is None."""
    if text is None:
        remove(path)
    else:
        write_atomically(path, text, mode)


def put_all(files):
    """Put each (path, text or None, mode); removals come last, so that no file refers to a missing one."""
    for path, text, mode in sorted(files, key=lambda item: item[1] is None):
        put(path, text, mode)


def sync_directory(directory):
    """Flush the directory to disk, so that renames and removals in it survive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def nearest_existing_parent(path):
    """Return the path itself if it exists, else its closest parent directory that does."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path
