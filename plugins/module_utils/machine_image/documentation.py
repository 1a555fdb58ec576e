# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tell the examples in documentation from secrets.

Two things must hold. The package manager's database says that the file is documentation, and still as it was
installed. And the finding is a login or a password, of the kind that authors make up: a private key, or a token in the
form of its provider, is real wherever it is. A package of the site's own, or root, could say as much of any file, so
this is no proof that a password in documentation opens nothing.
"""

import contextlib
import hashlib
import struct
import urllib.parse

from . import opening
from .tree import GONE, TreeError

try:
    import sqlite3
except ImportError:  # some builds of Python have none
    sqlite3 = None  # type: ignore[assignment]

FOLDERS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/")
EXAMPLES = frozenset(
    (
        "a password in a URL",
        "a netrc password",
        "an HTTP login",
        "a registry login",
        "an npm login",
        "a repository or proxy password",
        "an iSCSI password",
        "a log driver secret",
    )
)
LARGEST = 64 << 20
SUMS = "var/lib/dpkg/info/*.md5sums"
# Where rpm keeps it, unless it is of a kind that Python cannot read, as on EL 8.
RPM_DATABASES = ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite")
MOST_STEPS = 10**7  # of SQLite's virtual machine, since a database may have been made to keep it busy
# Tags and types of rpm's headers, and its numbers of digests.
DIGESTS, FLAGS, DIRECTORY_INDEXES, NAMES, DIRECTORIES, ALGORITHM = 1035, 1037, 1116, 1117, 1118, 5011
INT32, STRING_ARRAY = 4, 8
IS_DOCUMENTATION = 2
ALGORITHMS = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512"}
MD5 = 1


def without_examples(found, tree, place, stream):
    """Return the findings (what, line) in a file, without those that are examples of its documentation."""
    if any(what in EXAMPLES for what, _ in found) and is_published(tree, place, stream):
        return [each for each in found if each[0] not in EXAMPLES]
    return found


def is_published(tree, place, stream):
    """Return whether the file is documentation of a package, and still as dpkg or rpm installed it."""
    if not place.startswith(FOLDERS):
        return False
    stream.seek(0)
    try:
        content = opening.read(stream, LARGEST)
    except opening.TooLargeError:
        return False
    return is_of_dpkg(tree, place, content) or is_of_rpm(tree, place, content)


def is_of_dpkg(tree, place, content):
    line = "{}  {}".format(digest_of(content, MD5), place.lstrip("/")).encode("utf-8", "surrogateescape")
    return any(line in content_of(tree, path).split(b"\n") for path in tree.glob(SUMS))


def content_of(tree, path):
    try:
        return tree.read(path, LARGEST) or b""
    except TreeError:
        return b""


def is_of_rpm(tree, place, content):
    for database in RPM_DATABASES:
        path = tree.resolve(database)
        if sqlite3 and is_regular(tree, path):
            with contextlib.suppress(sqlite3.Error, struct.error, LookupError, ValueError, OverflowError):
                for header, index in headers_of(path, place):
                    digest = digest_of(content, (values(header, ALGORITHM) or [MD5])[0])
                    is_documentation = values(header, FLAGS)[index] & IS_DOCUMENTATION
                    if (
                        is_documentation
                        and path_of(header, index) == place
                        and digest  # rpm records none of what it does not compare
                        and digest == values(header, DIGESTS)[index]
                    ):
                        return True
    return False


def is_regular(tree, path):
    try:
        with tree.file(path):
            return True
    except (*GONE, OSError):
        return False


def headers_of(path, place):
    """Yield (header, index of the file) of each package in rpm's database that has a file of this name."""
    name = place.rpartition("/")[2]
    database = sqlite3.connect("file:{}?mode=ro&immutable=1".format(urllib.parse.quote(path)), uri=True)
    with contextlib.closing(database):
        database.set_progress_handler(lambda: True, MOST_STEPS)
        database.text_factory = bytes
        query = (
            "SELECT Packages.blob, Basenames.idx FROM Basenames JOIN Packages ON Packages.hnum = Basenames.hnum "
            "WHERE Basenames.key = ?"
        )
        yield from database.execute(query, (name,))


def values(header, tag):
    """Return what a header has under a tag, as numbers or texts. Raise struct.error or LookupError for invalid ones."""
    entries, _ = struct.unpack_from(">II", header)
    for number in range(entries):
        found, kind, offset, count = struct.unpack_from(">IIII", header, 8 + 16 * number)
        start = 8 + 16 * entries + offset
        if found == tag and kind == INT32:
            return struct.unpack_from(">{}I".format(count), header, start)
        if found == tag and kind == STRING_ARRAY:
            return [text.decode("utf-8", "surrogateescape") for text in header[start:].split(b"\0", count)[:count]]
    return ()


def path_of(header, index):
    return values(header, DIRECTORIES)[values(header, DIRECTORY_INDEXES)[index]] + values(header, NAMES)[index]


def digest_of(content, algorithm):
    """Return the digest of rpm's number, or "" for an unknown one, or one that the machine's policy forbids."""
    try:
        return hashlib.new(ALGORITHMS[algorithm], content).hexdigest()
    except (KeyError, ValueError):
        return ""
