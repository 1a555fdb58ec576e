# SPDX-License-Identifier: Apache-2.0
"""Compare two machine images by their manifests. Exit status: 0 no differences, 1 differences, 2 error."""

import argparse
import sys
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from slipway.lab.progress import console
from slipway.manifest.difference import differences
from slipway.manifest.manifest import ManifestError, read
from slipway.printable import printable


def main() -> int:
    """Print a row for each difference, or nothing."""
    arguments = _parser().parse_args()
    try:
        found = differences(read(arguments.old), read(arguments.new))
    except ManifestError as error:
        print(f"slipway-machine-image-diff: {printable(str(error))}", file=sys.stderr)
        return 2
    if not found:
        return 0
    table = Table("", "what", escape(str(arguments.old)), escape(str(arguments.new)))
    for change in found:
        table.add_row(change.kind, *(escape(printable(text)) for text in (change.what, change.old, change.new)))
    console.print(table)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway-machine-image-diff", description=__doc__)
    parser.add_argument("old", type=Path, help="manifest of the old image")
    parser.add_argument("new", type=Path, help="manifest of the new image")
    return parser


if __name__ == "__main__":
    sys.exit(main())
