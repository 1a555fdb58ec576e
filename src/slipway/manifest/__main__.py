# SPDX-License-Identifier: Apache-2.0
"""Tell by their manifests what differs between two images. Exit status: 0 nothing, 1 something, 2 trouble."""

import argparse
import sys
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from slipway.lab.progress import console
from slipway.manifest.difference import differences
from slipway.manifest.manifest import ManifestError, read


def main() -> int:
    """Print a row for each difference; nothing where there is none."""
    arguments = _parser().parse_args()
    try:
        found = differences(read(arguments.old), read(arguments.new))
    except ManifestError as error:
        print(f"slipway-image-diff: {error}", file=sys.stderr)
        return 2
    if not found:
        return 0
    table = Table("", "what", escape(str(arguments.old)), escape(str(arguments.new)))
    for change in found:
        table.add_row(change.kind, *map(escape, (change.what, change.old, change.new)))
    console.print(table)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway-image-diff", description=__doc__)
    parser.add_argument("old", type=Path, help="manifest of an image")
    parser.add_argument("new", type=Path, help="manifest of the image that it is compared with")
    return parser


if __name__ == "__main__":
    sys.exit(main())
