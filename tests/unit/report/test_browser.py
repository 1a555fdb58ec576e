# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: 1, 12 and 500 hosts, both themes, a phone and a wall screen."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import report_page

from tests.support import browser
from tests.support import fleet_answers as fleet
from tests.unit.plugins.plugin_utils.test_report_page import HOSTILE, hostile

PROGRAM = browser.find()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium: install one, or name it in the variable CHROMIUM"),
]
WIDTHS = (360, 1920)
# A keystroke's work, layout included; the shortest of several, since the machine may be busy.
MILLISECONDS = """(values => Math.min(...values.map(value => {
  const field = document.getElementById('q'), begin = performance.now();
  field.value = value;
  field.dispatchEvent(new Event('input'));
  document.body.offsetHeight;
  return performance.now() - begin;
})))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[browser.Browser]:
    assert PROGRAM
    with browser.Browser(PROGRAM) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    folder = tmp_path_factory.mktemp("pages")
    for size in (1, 12, 500):
        (folder / f"{size}.html").write_text(report_page.page(fleet.report(size)))
    return {size: (folder / f"{size}.html").as_uri() for size in (1, 12, 500)}


def shown(chromium: browser.Browser) -> list[str]:
    found: list[str] = chromium.run(
        "[...document.querySelectorAll('tr.host:not([hidden]) .name')].map(item => item.textContent)"
    )
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", [1, 12, 500])
def test_it_fits_and_everybody_can_use_it(
    chromium: browser.Browser, pages: dict[int, str], size: int, width: int, dark: bool
) -> None:
    chromium.open(pages[size], width, dark=dark)
    assert len(shown(chromium)) == size
    assert chromium.run("document.documentElement.scrollWidth") == width
    chromium.run("document.querySelector('tr.host button').click()")
    script = browser.axe()
    if script is None:
        pytest.skip("axe-core was not asked: name its axe.min.js in the variable AXE")
    chromium.run(script.read_text() + "; 0")
    violations = chromium.run("axe.run().then(found => JSON.stringify(found.violations.map(item => item.id)))")
    assert json.loads(violations) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_500_hosts_are_filtered_within_50_milliseconds(
    chromium: browser.Browser, pages: dict[int, str], width: int
) -> None:
    chromium.open(pages[500], width)
    assert chromium.run(f"{MILLISECONDS}(['w', 'we', 'web', 'db', 'edge-1', 'postgres'])") < 50
    assert chromium.run(f"{MILLISECONDS}(['', 'x', '', 'y', ''].filter((value, at) => at % 2 || 1))") < 50


VIEWS: list[tuple[str, Any]] = [
    ("q=web-1", lambda row: "web-1" in row["name"]),
    ("state=fail", lambda row: row["state"] == "fail"),
    ("state=silent", lambda row: not row["answered"]),
    ("group=db&state=warn", lambda row: "db" in row["groups"] and row["state"] == "warn"),
    ("check=disk", lambda row: row["cells"].get("disk", {}).get("state") in ("fail", "warn")),
]


@pytest.mark.parametrize(("fragment", "wanted"), VIEWS, ids=[view for view, _ in VIEWS])
def test_a_view_can_be_sent_as_its_address(
    chromium: browser.Browser, pages: dict[int, str], fragment: str, wanted: Any
) -> None:
    chromium.open(f"{pages[500]}#{fragment}")
    expected = {row["name"] for row in fleet.report(500)["hosts"] if wanted(row)}
    assert expected
    if fragment != "q=web-1":  # a search looks at reasons too
        assert set(shown(chromium)) == expected
    else:
        assert expected <= set(shown(chromium))
    parameters = "Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"
    assert chromium.run(parameters) == dict(pair.split("=") for pair in fragment.split("&"))


def test_what_is_chosen_stands_in_the_address_and_survives_a_reload(
    chromium: browser.Browser, pages: dict[int, str]
) -> None:
    chromium.open(pages[12])
    chromium.run("document.querySelector('[data-state=fail]').click()")
    chromium.run("document.querySelector('[data-sort=name] button').click()")
    chromium.run("document.querySelector('tr.host:not([hidden]) button').click()")
    address, names = chromium.run("location.href"), shown(chromium)
    assert names == sorted(names)
    chromium.open(address)
    assert shown(chromium) == names
    assert chromium.run("document.querySelectorAll('tr.detail').length") == 1
    assert "ansible-playbook" in chromium.run("document.querySelector('tr.detail pre').textContent")


def test_groups_and_order_are_those_chosen(chromium: browser.Browser, pages: dict[int, str]) -> None:
    chromium.open(f"{pages[500]}#by=state&sort=-name")
    sections = chromium.run("[...document.querySelectorAll('tr.section')].map(item => item.textContent)")
    assert len(sections) == 3
    assert len(shown(chromium)) == 500


def test_the_keyboard_reaches_every_host(chromium: browser.Browser, pages: dict[int, str]) -> None:
    chromium.open(pages[12])
    chromium.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true})) || 0")
    focusable = "[...document.querySelectorAll('tr.host button')].filter(item => item.tabIndex === 0).length"
    assert chromium.run(focusable) == 12


def test_no_hostile_value_becomes_an_element_or_runs(chromium: browser.Browser, tmp_path: Path) -> None:
    for number, value in enumerate(HOSTILE):
        path = tmp_path / f"{number}.html"
        path.write_text(report_page.page(hostile(value)))
        chromium.open(path.as_uri())
        chromium.run("document.querySelectorAll('tr.host button').forEach(button => button.click())")
        assert chromium.run("document.querySelectorAll('img, iframe, b:not(.states b), script:not([id])').length") == 1
        assert chromium.run("document.querySelectorAll('[onmouseover], [onerror]').length") == 0
        assert len(shown(chromium)) == 2
