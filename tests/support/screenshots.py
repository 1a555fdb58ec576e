# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of the report's guide, with a fleet of the tests: `make docs-screenshots`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ansible_collections.slipway.platform.plugins.plugin_utils import report_page

from tests.support import browser
from tests.support import fleet_answers as fleet

FOLDER = Path(__file__).parents[2] / "docs/guides"
# Name, hosts, fragment, width, height, dark.
PICTURES = (
    ("report-wall", 48, "", 1500, 760, False),
    ("report-dark", 500, "by=group&state=fail", 1500, 620, True),
    ("report-phone", 48, "state=fail", 390, 844, False),
)


def main() -> int:
    program = browser.find()
    if program is None:
        print(
            "docs-screenshots: no Chromium was found: install one, or name it in the variable CHROMIUM", file=sys.stderr
        )
        return 1
    with TemporaryDirectory() as folder, browser.Browser(program) as opened:
        for name, size, fragment, width, height, dark in PICTURES:
            page = Path(folder, "index.html")
            page.write_text(report_page.page(fleet.report(size)))
            opened.open(f"{page.as_uri()}#{fragment}", width, height, dark)
            opened.run("document.querySelector('tr.host:not([hidden]):has(td.fail) button').click()")
            opened.screenshot(FOLDER / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
