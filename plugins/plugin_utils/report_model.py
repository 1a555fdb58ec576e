# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Build the report of all hosts: the content of report.json, from which the page and junit.xml are made.

The format is docs/guides/report.schema.json; SCHEMA is its version.
"""

import datetime
import json
import os
import re
import shlex
import time

from ansible_collections.slipway.platform.plugins.plugin_utils import report_checks
from ansible_collections.slipway.platform.plugins.plugin_utils.report_checks import FAIL, NONE, OK, UNKNOWN, WARN

SCHEMA = 1
# From the best to the worst; the state of a host is the worst of its cells, where UNKNOWN counts as WARN.
ORDER = (NONE, OK, UNKNOWN, WARN, FAIL)
# What a host tells may be part of a command; with a brace, the controller would evaluate it.
PLAIN = re.compile(r"[\w .:/@=+~-]+\Z")
# Beyond a blank, a version would set other variables of the run, such as ansible_connection.
VERSION = re.compile(r"[0-9][0-9A-Za-z.+~^_:-]*\Z")
LONGEST = 400  # characters of a reason
# Line breaks of all kinds, characters that turn the direction of the text after them, and those that XML cannot hold.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Fix:
    """The commands that repair a host, as a user would type them where the report was made."""

    def __init__(self, host, inventories=(), playbooks="playbooks", folder=None):
        self.host = shlex.quote(host)
        folder = folder or os.getcwd()
        self.inventory = "".join(f" --inventory {shlex.quote(shortest(path, folder))}" for path in inventories)
        near = shortest(playbooks, folder)
        self.name = "slipway.platform.{}" if os.path.isabs(near) else shlex.quote(near) + "/{}.yml"

    def site(self):
        return f"ansible-playbook{self.inventory} {self.name.format('site')} --limit {self.host}"

    def upgrade(self, version):
        """Return the command that installs a version; "" for a text that is none, which may hold other variables."""
        if not VERSION.match(version):
            return ""
        pin = shlex.quote(f"docker_engine_version={version}")
        return f"ansible-playbook{self.inventory} {self.name.format('upgrade')} --limit {self.host} --extra-vars {pin}"

    def command(self, line):
        """Return the command that runs a line on the host; "" for one with a template, which Ansible would evaluate."""
        return (
            "" if not PLAIN.match(line) else f"ansible{self.inventory} --become --args {shlex.quote(line)} {self.host}"
        )

    def module(self, name):
        return f"ansible{self.inventory} --become --module-name {name} {self.host}"


def shortest(path, folder):
    """Return a path relative to the folder if it is below, else as it is; an inventory may be a list of hosts."""
    if "," in path:
        return path
    relative = os.path.relpath(path, folder)
    return path if relative.startswith("..") else relative


def build(hosts, limits, origin, history=(), seconds=0.0, now=None, checks=report_checks.CHECKS):
    """Return the report as a dict.

    hosts: dicts with name, groups, reason (why there are no facts, or ""), facts, wanted and fix. limits: thresholds.
    history: summaries of earlier reports, oldest first.
    """
    now = time.time() if now is None else now
    rows = [row_of(host, limits, now, checks) for host in sorted(hosts, key=lambda host: host["name"])]
    summary = {state: sum(row["state"] == state for row in rows) for state in (FAIL, WARN, OK)}
    summary.update(hosts=len(rows), silent=sum(not row["answered"] for row in rows))
    return {
        "schema": SCHEMA,
        "generated": stamp(now),
        "seconds": round(seconds, 1),
        "collection": {"version": origin.get("version", ""), "commit": origin.get("commit", "")},
        "summary": summary,
        "checks": [{"id": check.id, "title": check.title, "about": check.about} for check in checks],
        "hosts": rows,
        "history": [*history, {"generated": stamp(now), **summary}],
    }


def row_of(host, limits, now, checks):
    facts = host["facts"]
    system = (facts.get("system") or {}).get("facts")
    system = system if isinstance(system, dict) else {}
    row = {
        "name": clean(host["name"]),
        "groups": [clean(group) for group in host["groups"]],
        "answered": not host["reason"],
        "state": FAIL,
        "reason": sentence(host["reason"]),
        "command": "",
        "distribution": clean(system.get("distribution", "")),
        "kernel": clean(system.get("kernel", "")),
        "cells": {},
    }
    if host["reason"]:
        row["command"] = clean(host["fix"].module("ping"))
        return row
    subject = report_checks.Subject(facts, host["wanted"], limits, host["fix"], now)
    for check in checks:
        verdict = report_checks.verdict_of(check, subject)
        row["cells"][check.id] = {
            "state": verdict.state,
            "value": clean(verdict.value),
            "reason": sentence(verdict.reason),
            "command": clean(verdict.command),
        }
    worst = max((cell["state"] for cell in row["cells"].values()), key=ORDER.index, default=OK)
    row["state"] = {UNKNOWN: WARN, NONE: OK}.get(worst, worst)
    return row


def clean(value):
    """Return a text of a host without control characters and lone surrogates, which neither XML nor UTF-8 can hold."""
    text = CONTROL.sub("\N{REPLACEMENT CHARACTER}", re.sub(r"[\r\n]+", " ", str(value)))
    return text.encode("utf-8", "replace").decode()


def sentence(text):
    text = " ".join(clean(text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def stamp(moment):
    return datetime.datetime.fromtimestamp(int(moment), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def headline(summary):
    """Return the sentence on top of the page."""
    hosts, failed = summary["hosts"], summary[FAIL]
    if failed:
        return f"{failed} of {hosts} host{'s' if hosts > 1 else ''} need{'s' if failed == 1 else ''} you"
    if summary[WARN]:
        return f"No host needs you now, {summary[WARN]} of {hosts} soon"
    return "The host is as it should be" if hosts == 1 else f"All {hosts} hosts are as they should be"


def is_red(report, fail_on):
    """Return whether the report fails the run: fail_on is never, red or yellow."""
    summary = report["summary"]
    counted = {"never": (), "red": (FAIL,), "yellow": (FAIL, WARN)}[fail_on]
    return any(summary[state] for state in counted)


def first_reasons(report, most=3):
    """Return lines about the first red hosts, for a terminal."""
    found = []
    for row in report["hosts"]:
        red = [cell["reason"] for cell in row["cells"].values() if cell["state"] == FAIL] or [row["reason"]]
        if row["state"] == FAIL:
            found.append(f"{row['name']}: {red[0]}")
    return found[:most] + ([f"And {len(found) - most} more."] if len(found) > most else [])


def text(report):
    """Return the text of report.json."""
    return json.dumps(report, indent=1, ensure_ascii=True) + "\n"
