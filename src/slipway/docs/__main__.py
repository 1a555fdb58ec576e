# SPDX-License-Identifier: Apache-2.0
"""Make the pages of docs that are generated, or the site."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from slipway.docs import reference, reliability, rooms, site, support
from slipway.lab.paths import PROJECT

# The generated pages that take nothing but this clone, each made from the project's path.
PAGES: dict[Path, Callable[[Path], str]] = {
    Path("docs/reliability.md"): lambda project: reliability.render(reliability.collect(project)),
    Path("docs/development/rooms.svg"): lambda project: rooms.draw(rooms.read(project)),
    reference.PAGES / "index.md": reference.index,
    support.PAGE: support.page,
    support.README: support.readme,
}


def main() -> int:
    """Do what the command says."""
    parser = argparse.ArgumentParser(prog="python -m slipway.docs", description=__doc__)
    parser.add_argument("what", choices=["pages", "site"])
    try:
        if parser.parse_args().what == "site":
            print(f"The site begins at {site.build(PROJECT) / 'index.html'}")
            return 0
        reference.write(PROJECT)
        for path, make in PAGES.items():
            (PROJECT / path).write_text(make(PROJECT))
    except (reference.ToolError, reliability.DocstringError, support.SupportError) as error:
        print(f"slipway: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
