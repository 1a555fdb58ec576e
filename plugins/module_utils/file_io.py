# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads and writes small configuration files so that a crash never leaves half of one."""

import os
import tempfile


def read_text(path):
    """The file's text, or None where there is no such file; bytes that are not UTF-8 survive a round trip."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def is_as_wanted(path, text, mode):
    """Whether the file has this text and mode and belongs to this user; text None means that it is absent."""
    if text is None:
        return not os.path.lexists(path)
    if read_text(path) != text:
        return False
    status = os.stat(path)
    return status.st_mode & 0o7777 == mode and status.st_uid == os.geteuid()


class WriteError(OSError):
    """A file cannot be written; the text is the sentence for the user."""


def write_atomically(path, text, mode):
    """Put the text in place in one step; a symbolic link stays a link, and its target is replaced."""
    try:
        replace(path, text, mode)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}. Mend that, and run again") from error


def replace(path, text, mode):
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix="." + os.path.basename(target) + ".", dir=directory)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(text)
            os.fchown(descriptor, os.geteuid(), os.getegid())
            os.fchmod(descriptor, mode)
            stream.flush()
            os.fsync(descriptor)
        os.rename(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)


def remove(path):
    """Remove the file; one that is already absent is fine."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))


def remove_if_empty(directory):
    """Remove the directory unless something is in it."""
    try:
        os.rmdir(directory)
    except OSError:
        return
    sync_directory(os.path.dirname(directory))


def put(path, text, mode):
    """Write the text, or remove the file when the text is None."""
    if text is None:
        remove(path)
    else:
        write_atomically(path, text, mode)


def put_all(files):
    """Put (path, text or None, mode) of each; removals come last, since no file may refer to one that is not there."""
    for path, text, mode in sorted(files, key=lambda item: item[1] is None):
        put(path, text, mode)


def sync_directory(directory):
    """Make a rename or a removal in the directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def nearest_existing_parent(path):
    """The path itself if it exists, else the closest directory above it that does."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path
