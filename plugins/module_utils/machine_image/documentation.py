# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tell the examples in a distribution's documentation from secrets: what its package has published is none."""

import hashlib

from . import opening
from .tree import TreeError

FOLDERS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/")
LARGEST = 64 << 20
SUMS = "var/lib/dpkg/info/*.md5sums"  # rpm's database has no form that Python can read


def is_published(tree, place, stream):
    """Return whether the file is documentation, and still as dpkg installed it."""
    if not place.startswith(FOLDERS):
        return False
    stream.seek(0)
    try:
        digest = hashlib.md5(opening.read(stream, LARGEST)).hexdigest()
    except (ValueError, opening.TooLargeError):  # ValueError: the machine's policy forbids MD5
        return False
    line = "{}  {}".format(digest, place.lstrip("/")).encode("utf-8", "surrogateescape")
    return any(line in content_of(tree, path).split(b"\n") for path in tree.glob(SUMS))


def content_of(tree, path):
    try:
        return tree.read(path, LARGEST) or b""
    except TreeError:
        return b""
