# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Render the report: the page, which is one file that fetches nothing, and junit.xml.

Everything that a host can influence reaches the page as text: through Jinja2's autoescape, or as JSON that a script
puts into text nodes. The page's content security policy allows its own script and style by their digests, and no other.
"""

import base64
import hashlib
import json
from pathlib import Path
from xml.etree import ElementTree

import jinja2
from ansible_collections.slipway.platform.plugins.plugin_utils import report_model
from ansible_collections.slipway.platform.plugins.plugin_utils.report_checks import FAIL, NONE, OK, UNKNOWN, WARN
from markupsafe import Markup

ROLE = Path(__file__).parents[2] / "roles/slipway_report"
# Where `slipway-report serve` puts the choice of runs.
RUNS = "<!--runs-->"
BAR_HEIGHT, RUNS_SHOWN = 38, 30
# JSON within a script element; U+2028 and U+2029 are escaped as every character that is not ASCII.
IN_SCRIPT = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&'"})


def page(report):
    """Return the page of a report as text."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.FileSystemLoader(ROLE / "templates")
    )
    style, script = ((ROLE / "files" / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    summary = report["summary"]
    groups = sorted({group for row in report["hosts"] for group in row["groups"]})
    return environment.get_template("index.html.j2").render(
        report=report,
        headline=report_model.headline(summary),
        mood=FAIL if summary[FAIL] else OK,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        data=Markup(in_script(compact(report, groups))),
        groups=groups,
        bars=bars(report["history"]),
        trend=trend(report["history"]),
        counts=counts(summary),
    )


def counts(summary):
    """Return state, number and words of each button that filters by state."""
    found = [
        ("", summary["hosts"], "all"),
        (FAIL, summary[FAIL], "need you" if summary[FAIL] != 1 else "needs you"),
        (WARN, summary[WARN], "soon"),
        (OK, summary[OK], "good"),
    ]
    return found + ([("silent", summary["silent"], "silent")] if summary["silent"] else [])


def policy(style, script):
    return (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'self'"
    )


def digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def in_script(value):
    return json.dumps(value, separators=(",", ":")).translate(IN_SCRIPT)


def compact(report, groups):
    """Return what the script needs, without the names of keys, which would be half of the page."""
    states = (NONE, OK, UNKNOWN, WARN, FAIL)
    checks = [check["id"] for check in report["checks"]]
    index = {group: number for number, group in enumerate(groups)}

    def cell(item):
        found = [states.index(item["state"]), item["value"], item["reason"], item["command"]]
        while not found[-1] and len(found) > 2:
            found.pop()
        return found

    return {
        "states": states,
        "groups": groups,
        "checks": [[check["id"], check["title"]] for check in report["checks"]],
        "hosts": [
            [
                row["name"],
                [index[group] for group in row["groups"]],
                states.index(row["state"]),
                row["distribution"],
                row["kernel"],
                row["reason"],
                row["command"],
                [cell(row["cells"][name]) for name in checks if name in row["cells"]],
            ]
            for row in report["hosts"]
        ],
    }


def bars(history):
    """Return the bars of the last runs, in pixels: red hosts below yellow ones; none for the first run."""
    shown = history[-RUNS_SHOWN:]
    if len(shown) < 2:
        return []
    scale = BAR_HEIGHT / max(1, *(entry[FAIL] + entry[WARN] for entry in shown))
    found = []
    for entry in shown:
        fail, warn = (max(2, round(entry[state] * scale)) if entry[state] else 0 for state in (FAIL, WARN))
        found.append({"fail": fail, "fail_y": 39 - fail, "warn": warn, "warn_y": 39 - fail - warn})
    return found


def trend(history):
    numbers = ", ".join(str(entry[FAIL]) for entry in history[-RUNS_SHOWN:])
    return f"Hosts that needed you, oldest run first: {numbers}"


def junit(report):
    """Return the report as JUnit XML: a suite for each host, a case for each check; unknown ones count as errors."""
    suites = ElementTree.Element("testsuites", name="slipway report", timestamp=report["generated"])
    for row in report["hosts"]:
        cells = row["cells"] or {
            "answer": {"state": FAIL, "value": "", "reason": row["reason"], "command": row["command"]}
        }
        tally = {state: sum(cell["state"] == state for cell in cells.values()) for state in (FAIL, UNKNOWN, NONE)}
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=row["name"],
            tests=str(len(cells)),
            failures=str(tally[FAIL]),
            errors=str(tally[UNKNOWN]),
            skipped=str(tally[NONE]),
        )
        for name, cell in cells.items():
            case = ElementTree.SubElement(suite, "testcase", classname=row["name"], name=name)
            kind = {FAIL: "failure", UNKNOWN: "error", NONE: "skipped", WARN: "system-out"}.get(cell["state"])
            if kind in ("failure", "error"):
                ElementTree.SubElement(case, kind, message=cell["reason"]).text = cell["command"]
            elif kind:
                ElementTree.SubElement(case, kind).text = cell["reason"]
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"
