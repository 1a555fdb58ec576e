# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""List everything in an image that must not ship, without changing anything.

The package is self-contained: copied to a host, it runs with the host's Python as `python3 -m machine_image PATH`.
"""

import argparse
import codecs
import sys

from . import check, credentials
from .tree import TreeError, printable

# UTF-32 first: its mark begins like that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_CANARY = credentials.LONGEST // 2  # in UTF-16, it takes twice the bytes


def main():
    """Print every violation, never a secret; return 0 without violations, 1 with some, 2 after an error."""
    arguments = parser().parse_args()
    try:
        canaries = [] if arguments.canary_file is None else read_canaries(arguments.canary_file)
        violations = check.check_path(
            arguments.path,
            arguments.keep_keys_of,
            arguments.allow,
            canaries,
            keep_passwords_of=arguments.keep_passwords_of,
        )
    except (TreeError, OSError) as error:
        print("slipway-machine-image-check: {}".format(printable(str(error))), file=sys.stderr)
        return 2
    for violation in violations:
        print(check.describe(violation))
    count = {0: "nothing", 1: "1 item"}.get(len(violations), "{} items".format(len(violations)))
    print("{}: found {} that must not ship".format(arguments.path, count), file=sys.stderr)
    return 1 if violations else 0


def parser():
    options = argparse.ArgumentParser(prog="slipway-machine-image-check", description=__doc__)
    options.add_argument("path", metavar="PATH", help="/, the directory of a root file system, or a raw image")
    options.add_argument(
        "--keep-keys-of", metavar="USER", action="append", default=[], help="user whose authorized_keys may stay"
    )
    options.add_argument(
        "--keep-passwords-of",
        metavar="USER",
        action="append",
        default=[],
        help="user whose password may stay, or be empty",
    )
    options.add_argument(
        "--allow", metavar="GLOB", action="append", default=[], help="files in the image whose credentials may stay"
    )
    options.add_argument(
        "--canary-file", metavar="FILE", help="more strings to find, one per line; - is standard input"
    )
    return options


def read_canaries(path):
    """Return the canaries in a file, - for standard input. Raise TreeError for a list that proves nothing."""
    if path == "-":
        return canaries_of(sys.stdin.buffer.read(), "standard input")
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise TreeError(
            "the list of canaries {} cannot be read ({}): give a readable file, or - for standard input".format(
                path, reason
            )
        ) from error
    return canaries_of(content, path)


def canaries_of(content, place):
    encoding = next((encoding for mark, encoding in MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TreeError(
            "the list of canaries in {} is not valid {} text: save it as UTF-8".format(place, encoding)
        ) from error
    if "\0" in text:
        raise TreeError("the list of canaries in {} has NUL bytes: save it as UTF-8".format(place))
    # Not splitlines(): a canary may contain a form feed or the like, and would be searched in pieces.
    canaries = [line for line in map(trimmed, text.replace("\r", "\n").split("\n")) if line]
    if not canaries:
        raise TreeError("the list of canaries in {} is empty: write one per line".format(place))
    if any(len(line.encode()) > LONGEST_CANARY for line in canaries):
        raise TreeError(
            "the list of canaries in {} has a line of more than {} bytes, which would be missed where it lies across "
            "two parts that are read: shorten it".format(place, LONGEST_CANARY)
        )
    return canaries


def trimmed(line):
    """Return a line without the blanks around it, nor a byte order mark that an editor left in the middle."""
    return line.strip("\ufeff \t")


if __name__ == "__main__":
    sys.exit(main())
