# SPDX-License-Identifier: Apache-2.0
"""The tables of what is supported, and of what was run: docs/support.md, and a part of README.md.

They are made of the role's support matrix and of docs/support.yml: nothing is said to be supported that the role
refuses, and nothing to have been run that no entry tells of.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MATRIX = Path("roles/docker_engine/vars/main.yml")
RUNS = Path("docs/support.yml")
PAGE = Path("docs/support.md")
README = Path("README.md")
BEGIN, END = "<!-- made by `make docs-reference` of docs/support.yml, do not edit -->\n", "<!-- until here -->\n"
KEYS = {"distribution", "release", "engines", "architectures", "how", "host"}
HOW = {"every-change": set[str](), "once": {"when"}}


class SupportError(Exception):
    """docs/support.yml tells of something that the matrix does not have, or lacks a key."""


@dataclass(frozen=True)
class Row:
    """One release of a distribution."""

    id: str
    name: str
    release: str
    tree: str
    architectures: tuple[str, ...]
    runs: tuple[dict[str, Any], ...]

    def of(self, how: str) -> list[dict[str, Any]]:
        return [run for run in self.runs if run["how"] == how]

    @property
    def in_short(self) -> str:
        """What was run, for the README."""
        told = [f"every change ({_engines(run)})" for run in self.of("every-change")]
        told += [f"once, {run['when']} ({_engines(run)})" for run in self.of("once")]
        return "; ".join(told) or "read"


def load(project: Path) -> tuple[list[Row], dict[str, Any]]:
    """Return a row for each release of the matrix, and the content of docs/support.yml."""
    matrix = yaml.safe_load((project / MATRIX).read_text())
    told = yaml.safe_load((project / RUNS).read_text())
    rows = list(_rows(matrix["__docker_engine_platforms"], matrix["__docker_engine_trees"], told["runs"]))
    for run in told["runs"]:
        _check(run, rows, told["engines"])
    return rows, told


def _rows(platforms: Any, trees: Any, runs: Any) -> Iterator[Row]:
    for key, entry in platforms.items():
        for release in entry["releases"]:
            tree = entry.get("trees", {}).get(release, entry["tree"])
            ran = tuple(run for run in runs if (run["distribution"], run["release"]) == (key, release))
            path = f"{tree}/{entry.get('tree_release', release)}"
            yield Row(key, entry["name"], release, path, tuple(trees[tree]), ran)


def _check(run: dict[str, Any], rows: list[Row], engines: list[str]) -> None:
    wanted = KEYS | HOW.get(run.get("how", ""), {"a how that is every-change or once"})
    if set(run) != wanted:
        raise SupportError(f"{RUNS}: {run} has other keys than {', '.join(sorted(wanted))}")
    row = next((row for row in rows if (row.id, row.release) == (run["distribution"], run["release"])), None)
    if row is None:
        raise SupportError(f"{RUNS}: the matrix in {MATRIX} has no {run['distribution']} {run['release']}")
    others = set(run["architectures"]) - set(row.architectures)
    if others:
        raise SupportError(f"{RUNS}: {row.name} {row.release} is not served on {', '.join(sorted(others))}")
    unknown = [engine for engine in run["engines"] if series(engine) not in engines]
    if unknown:
        raise SupportError(f"{RUNS}: engines lacks the series of {', '.join(unknown)}")


def series(engine: str) -> str:
    """Return the minor release of an engine."""
    return ".".join(engine.split(".")[:2])


def _engines(run: dict[str, Any]) -> str:
    return ", ".join(run["engines"])


def page(project: Path) -> str:
    """Return docs/support.md."""
    rows, told = load(project)
    lines = [
        "# What is supported, and what was run",
        "",
        "Made by `make docs-reference` of `docs/support.yml` and of the matrix by which the role itself refuses",
        "(`roles/docker_engine/vars/main.yml`). A [stand-in](glossary.md) has real dnf, rpm, systemd and dockerd, in",
        "the user land of another distribution.",
        "",
        "| Distribution | Release | Packages from | Architecture | Run on every change | Run once | Read |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ran = [name for name in row.architectures if any(name in run["architectures"] for run in row.runs)]
        for name in ran:
            mine = [run for run in row.runs if name in run["architectures"]]
            seen = {series(engine) for run in mine for engine in run["engines"]}
            read = [engine for engine in told["engines"] if engine not in seen]
            cells = [_cell(mine, how) for how in HOW]
            lines.append(_line(row, name, *cells, ", ".join(read)))
        rest = [name for name in row.architectures if name not in ran]
        if rest:
            lines.append(_line(row, ", ".join(rest), "", "", "all"))
    lines += [
        "",
        f"Engines: {', '.join(told['engines'])}. Which of them a release has, its tree of the repository decides: a",
        "version that is not there is refused, with those that are.",
        "",
        "Never run: " + ", ".join(told["never"]) + ".",
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row, architectures: str, *cells: str) -> str:
    """Return a line of the table; an empty cell is one space, as elsewhere in the documentation."""
    texts = [row.name, row.release, f"`{row.tree}`", architectures, *cells]
    return "|" + "|".join(f" {text} " if text else " " for text in texts) + "|"


def _cell(runs: list[dict[str, Any]], how: str) -> str:
    told = []
    for run in runs:
        if run["how"] == how:
            told.append(f"{_engines(run)}: {run['host']}" + (f", {run['when']}" if how == "once" else ""))
    return "; ".join(told)


def readme(project: Path) -> str:
    """Return README.md with today's table between the two comments."""
    text = (project / README).read_text()
    rows, _ = load(project)
    lines = ["| Distribution | Releases | Run |", "| --- | --- | --- |"]
    for name in dict.fromkeys(row.name for row in rows):
        mine = [row for row in rows if row.name == name]
        told = "; ".join(f"{row.release}: {row.in_short}" for row in mine if row.runs) or "read"
        lines.append(f"| {name} | {', '.join(row.release for row in mine)} | {told} |")
    table = BEGIN + "\n" + "\n".join(lines) + "\n\n" + END
    parts = re.split(f"{re.escape(BEGIN)}.*?{re.escape(END)}", text, flags=re.DOTALL)
    if len(parts) != 2:
        raise SupportError(f"{README} has no place for the table: write {BEGIN.strip()} and {END.strip()}")
    return table.join(parts)
