# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The report as data, as a page and as JUnit XML; the page in a browser is tests/unit/report/test_browser.py."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import report_model, report_page

from tests.support import fleet_answers as fleet

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/guides/report.schema.json").read_text())
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\" onmouseover='alert(1)'",
    "<!--<script>",
    "&lt;b&gt;",
    "\u2028\u2029alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x07\x00",
    "\ud800",
    "\ufffe\uffff",
    "]]>",
    "ä€😀",
]


def hostile(value: str) -> dict[str, Any]:
    """Return a report in which everything that a host or its inventory can influence is the value."""
    facts = fleet.answers()
    facts["system"] = fleet.answer({"distribution": value, "kernel": value})
    facts["packages"] = fleet.answer({"docker-ce": value})
    facts = fleet.changed(
        facts, "containers", unhealthy=[value], open_ports=[{"port": 1, "protocol": value, "container": value}]
    )
    facts = fleet.changed(facts, "drift", files=[value], options=[value])
    facts["disks"] = fleet.answer(None, value)
    facts["logins"] = fleet.answer({"msg": value})
    hosts = [fleet.host(value, facts), fleet.host("silent" + value, reason=value)]
    hosts[0]["groups"] = [value]
    built: dict[str, Any] = report_model.build(hosts, fleet.LIMITS, {}, now=fleet.NOW)
    return built


class Elements(HTMLParser):
    """Counts elements and attributes, and keeps the text of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Any] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, sorted(name for name, _ in attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "script":
            self.scripts[-1] += data


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_text_in_the_page(value: str) -> None:
    harmless, page = Elements(report_page.page(hostile("harmless"))), report_page.page(hostile(value))
    elements = Elements(page)
    assert elements.found == harmless.found
    assert elements.scripts[1] == harmless.scripts[1]
    names = [host[0] for host in json.loads(elements.scripts[0])["hosts"]]
    assert report_model.clean(value) in names
    assert not set("\u2028\u2029\x00\x07\x1b") & set(page)
    page.encode()


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_text_in_json_and_junit(value: str) -> None:
    report = hostile(value)
    assert json.loads(report_model.text(report)) == report
    suites = ElementTree.fromstring(report_page.junit(report))
    assert sorted(suite.get("name") or "" for suite in suites) == sorted(row["name"] for row in report["hosts"])


def test_the_page_fetches_nothing_and_allows_only_its_own_script_and_style() -> None:
    page = report_page.page(fleet.report(12))
    assert not re.findall(r"(?:src|href|url\()=?[\"']?(?!data:)[a-z]*:?//", page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    script, style = (re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("script", "style"))
    assert len(script) == len(style) == 1
    for text in (*script, *style):
        assert report_page.digest(text) in policy[1].replace("&#39;", "'")
    assert "unsafe" not in policy[1]
    assert " style=" not in page


@pytest.mark.parametrize(("hosts", "most"), [(1, 60_000), (50, 300_000), (500, 1_000_000)])
def test_the_page_is_small(hosts: int, most: int) -> None:
    assert len(report_page.page(fleet.report(hosts)).encode()) < most


@pytest.mark.parametrize("size", [0, 1, 12, 500])
def test_report_json_keeps_to_its_schema(size: int) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(report_model.text(fleet.report(size))), SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == report_model.SCHEMA


def test_a_host_that_does_not_answer_is_a_row() -> None:
    report = report_model.build([fleet.host("gone", reason="It does not answer: timed out")], fleet.LIMITS, {})
    assert report["summary"] == {"hosts": 1, "fail": 1, "warn": 0, "ok": 0, "silent": 1}
    row = report["hosts"][0]
    assert (row["answered"], row["state"], row["reason"], row["cells"]) == (
        False,
        "fail",
        "It does not answer: timed out",
        {},
    )
    assert row["command"] == "ansible --inventory inventory/example --become --module-name ping gone"
    suite = ElementTree.fromstring(report_page.junit(report))[0]
    assert suite.get("failures") == "1"


def test_junit_counts_what_the_report_counts() -> None:
    report = fleet.report(48)
    cells = [cell["state"] for row in report["hosts"] for cell in row["cells"].values()]
    suites = ElementTree.fromstring(report_page.junit(report))
    silent = report["summary"]["silent"]
    assert sum(int(suite.get("failures") or 0) for suite in suites) == cells.count("fail") + silent
    assert sum(int(suite.get("errors") or 0) for suite in suites) == cells.count("unknown")
    assert len(suites.findall(".//failure")) == cells.count("fail") + silent


@pytest.mark.parametrize(
    ("fail", "warn", "hosts", "words"),
    [
        (3, 5, 48, "3 of 48 hosts need you"),
        (1, 0, 48, "1 of 48 hosts needs you"),
        (1, 0, 1, "1 of 1 host needs you"),
        (0, 5, 48, "No host needs you now, 5 of 48 soon"),
        (0, 0, 48, "All 48 hosts are as they should be"),
        (0, 0, 1, "The host is as it should be"),
    ],
)
def test_the_headline_says_how_many_hosts_need_somebody(fail: int, warn: int, hosts: int, words: str) -> None:
    assert report_model.headline({"hosts": hosts, "fail": fail, "warn": warn, "ok": 0, "silent": 0}) == words


def test_the_exit_status_is_the_user_s_choice() -> None:
    def red(fail: int, warn: int) -> list[str]:
        summary = {"summary": {"fail": fail, "warn": warn}}
        return [level for level in ("never", "red", "yellow") if report_model.is_red(summary, level)]

    assert red(0, 0) == []
    assert red(0, 2) == ["yellow"]
    assert red(1, 0) == ["red", "yellow"]


def test_the_line_of_runs_has_a_bar_for_each_of_the_last_thirty() -> None:
    history = [{"fail": number % 4, "warn": 2} for number in range(40)]
    bars = report_page.bars(history)
    assert len(bars) == 30
    assert all(bar["fail_y"] >= 0 and bar["warn_y"] >= 0 and bar["fail"] <= report_page.BAR_HEIGHT for bar in bars)
    assert report_page.bars(history[:1]) == []


def test_commands_name_the_inventory_and_playbook_as_the_user_would() -> None:
    fix = report_model.Fix("web 1", ["/srv/fleet/hosts.yml", "web 1,"], "/srv/fleet/playbooks", "/srv/fleet")
    assert (
        fix.site() == "ansible-playbook --inventory hosts.yml --inventory 'web 1,' playbooks/site.yml --limit 'web 1'"
    )
    installed = report_model.Fix("web-1", ["hosts.yml"], "/usr/share/x/playbooks", "/srv/fleet")
    assert installed.upgrade("29.7").endswith(
        "slipway.platform.upgrade --limit web-1 --extra-vars docker_engine_version=29.7"
    )


def test_long_reasons_are_cut() -> None:
    assert len(report_model.sentence("x" * 5000)) == report_model.LONGEST
