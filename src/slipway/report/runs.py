# SPDX-License-Identifier: Apache-2.0
"""The runs in a report's folder, as plugins/plugin_utils/report_files.py has written them."""

import re
from pathlib import Path

FILES = {"/": "index.html", "/index.html": "index.html", "/report.json": "report.json", "/junit.xml": "junit.xml"}
RUN = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z(?:-([0-9]+))?\Z")
OFFERED = 30


class ReportError(Exception):
    """The folder holds no report, or cannot be served; str() is the message for the user."""


def names(folder: Path) -> list[str]:
    """Return the names of the last runs, the newest first."""
    try:
        matches = [match for entry in (folder / "runs").iterdir() if (match := RUN.match(entry.name))]
    except OSError:
        return []
    matches.sort(key=lambda match: (match[0].partition("-")[0], int(match[7] or 1)), reverse=True)
    return [match[0] for match in matches][:OFFERED]


def title(name: str) -> str:
    """Return what a person reads of a run: 2026-11-30 01:45:00 UTC."""
    match = RUN.match(name)
    assert match
    year, month, day, hour, minute, second, number = match.groups()
    return f"{year}-{month}-{day} {hour}:{minute}:{second} UTC" + (f" ({number})" if number else "")


def read(folder: Path, run: str, name: str) -> bytes:
    """Return a file of a run, or of the last report if run is "". Raises OSError."""
    return (folder / "runs" / run / name if run else folder / name).read_bytes()


def require(folder: Path) -> None:
    """Raise ReportError if the folder holds no report."""
    if not (folder / "index.html").is_file() or not (folder / "report.json").is_file():
        raise ReportError(
            f"{folder} holds no report: make one with ansible-playbook playbooks/report.yml, or name its folder with "
            "--path."
        )
