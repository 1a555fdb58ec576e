# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Command line of the checker: slipway-image-check PATH. Reads only; exit status 1 when something must not ship."""

import argparse
import sys

from . import check
from .tree import TreeError


def main():
    """Print every violation; never a secret."""
    arguments = parser().parse_args()
    try:
        canaries = read_canaries(arguments.canary_file) if arguments.canary_file else []
        violations = check.of_path(arguments.path, arguments.keep_keys_of, arguments.allow, canaries)
    except (TreeError, OSError) as error:
        print("slipway-image-check: {}".format(error), file=sys.stderr)
        return 2
    for violation in violations:
        print(check.sentence(violation))
    print("{}: {} that must not ship".format(arguments.path, len(violations) or "nothing"), file=sys.stderr)
    return 1 if violations else 0


def parser():
    options = argparse.ArgumentParser(prog="slipway-image-check", description=__doc__)
    options.add_argument("path", metavar="PATH", help="/, the folder of a root file system, or a raw image")
    options.add_argument(
        "--keep-keys-of", metavar="USER", action="append", default=[], help="whose authorized_keys may stay"
    )
    options.add_argument(
        "--allow", metavar="GLOB", action="append", default=[], help="files of the image whose credentials may stay"
    )
    options.add_argument("--canary-file", metavar="FILE", help="texts to look for too, one a line; - is standard input")
    return options


def read_canaries(path):
    if path == "-":
        return canaries_of(sys.stdin.read())
    with open(path, encoding="utf-8") as stream:
        return canaries_of(stream.read())


def canaries_of(text):
    canaries = [line.strip() for line in text.splitlines() if line.strip()]
    if not canaries:
        raise TreeError("the list of canaries is empty: put one on each line")
    return canaries


if __name__ == "__main__":
    sys.exit(main())
