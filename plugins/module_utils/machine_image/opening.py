# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Open files and directories that another user may replace at any moment.

Their type is checked on the open descriptor, never on the path beforehand.
"""

import contextlib
import errno
import os
import stat

from .ownership import is_open_to_others

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
LARGEST = 1 << 20  # bytes of a file that is read into memory
LARGEST_ACCOUNT_FILE = 16 << 20  # for /etc/passwd and similar files
MOST_LINKS = 40  # the limit of the kernel


class TooLargeError(OSError):
    """A file is larger than any legitimate file of its kind."""


def regular_file(path, flags=os.O_RDONLY | os.O_NOFOLLOW, folder=None):
    """Return a descriptor of a regular file. Raise OSError for anything else; never block on a FIFO."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read(stream, largest=LARGEST):
    """Return all bytes of a stream; raise TooLargeError if there are more than `largest`."""
    content = stream.read(largest + 1)
    if len(content) > largest:
        raise TooLargeError(errno.EFBIG, "it is larger than {} KiB".format(largest >> 10))
    return content


@contextlib.contextmanager
def folder_below(top, names):
    """Open the directory that the names lead to from an open one; raise OSError if one of them is a link."""
    descriptor = os.dup(top)
    try:
        for name in names:
            below = os.open(name, FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def folder_of_root(path):
    """Return a descriptor of the directory at an absolute path.

    A link is followed only if no one but root and this process's user can create one there: others could point it at
    what only root may read. Elsewhere it raises OSError.
    """
    pending, links = path.split("/")[::-1], 0
    descriptor = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            target = target_of(name, descriptor)
            if target is None:
                below = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            else:
                links += 1
                if links > MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                if is_open_to_others(os.fstat(descriptor)):
                    raise OSError(errno.ELOOP, "{} is a link that another user may have created".format(name), path)
                pending.extend(target.split("/")[::-1])
                below = os.open("/" if target.startswith("/") else ".", os.O_PATH | os.O_DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        return os.open(".", FOLDER, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def target_of(name, folder=None):
    """Return the target of a link, or None for anything else."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def is_link_of_others(file, folder):
    """Return whether this may be a hard link to another user's file, so that changing it would change theirs."""
    return file.st_nlink > 1 and file.st_uid != folder.st_uid and is_open_to_others(folder)
