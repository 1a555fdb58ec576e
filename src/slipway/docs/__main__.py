# SPDX-License-Identifier: Apache-2.0
"""Make the pages of docs that are generated, or the site."""

import argparse
import sys
from pathlib import Path

from slipway.docs import reference, reliability, rooms, site, support
from slipway.lab.paths import PROJECT


def pages(project: Path) -> dict[Path, str]:
    """Return the generated pages that take nothing but this clone."""
    return {
        Path("docs/reliability.md"): reliability.render(reliability.collect(project)),
        Path("docs/development/rooms.svg"): rooms.draw(rooms.read(project)),
        reference.PAGES / "index.md": reference.index(project),
        support.PAGE: support.page(project),
        support.README: support.readme(project),
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
        for path, text in pages(PROJECT).items():
            (PROJECT / path).write_text(text)
    except (reference.ToolError, reliability.DocstringError, support.SupportError) as error:
        print(f"slipway: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
