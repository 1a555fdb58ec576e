# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Write a report beside the earlier ones, none of which is lost when that fails.

The folder holds the last report (index.html, report.json, junit.xml), and each run's in runs/<time>/.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from ansible_collections.slipway.platform.plugins.plugin_utils.report_model import SCHEMA

PAGE, DATA, JUNIT = NAMES = ("index.html", "report.json", "junit.xml")
RUNS = "runs"
RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z(?:-[0-9]+)?\Z")
COUNTS = ("hosts", "fail", "warn", "ok", "silent")
KEPT_IN_PLACE = "The earlier report is unchanged"


class ReportFileError(Exception):
    """The report cannot be written; str() is the sentence for the user."""


def prepare(folder):
    """Create the folder and return its earlier report. Raises ReportFileError if the folder cannot be used."""
    try:
        (folder / RUNS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportFileError(
            f"slipway_report_path {folder} cannot be made a folder ({reason_of(error)}): set it to a folder that you "
            f"may write to. {KEPT_IN_PLACE}."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK) or not os.access(folder / RUNS, os.W_OK | os.X_OK):
        raise ReportFileError(
            f"slipway_report_path {folder} is not writable: set it to a folder that you may write to. {KEPT_IN_PLACE}."
        )
    strangers = [name for name in NAMES if (folder / name).exists()]
    if strangers and DATA not in strangers:
        raise ReportFileError(
            f"slipway_report_path {folder} has an {strangers[0]} that no report wrote: set it to a folder of its own. "
            "Nothing was changed."
        )
    return earlier(folder / DATA)


def earlier(path):
    """Return the history of the earlier report, and a sentence if it cannot be used; ([], "") without one."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [], ""
    except (OSError, ValueError) as error:
        return [], f"{path} cannot be read ({reason_of(error)}): its history is not shown, and a copy of it is kept."
    try:
        report = json.loads(text)
        schema = report["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [], f"{path} is not a report: a copy of it is kept in {RUNS}, and the history begins anew."
    if schema != SCHEMA:
        return [], (
            f"{path} has schema {str(schema)[:20]}, and this report has {SCHEMA}: a copy of it is kept in {RUNS}, and "
            "the history begins anew."
        )
    history = report.get("history")
    entries = [entry for entry in history if is_summary(entry)] if isinstance(history, list) else []
    return entries, ""


def is_summary(entry):
    return isinstance(entry, dict) and all(type(entry.get(name)) is int for name in COUNTS)


def write(folder, texts, generated, kept, keep_earlier=False):
    """Write the files of a run, then make them the last report. Raises ReportFileError.

    texts: content by name. generated: the report's time. kept: how many runs stay. keep_earlier: copy the files
    that are replaced, which are no run of this schema.
    """
    stamp = re.sub(r"[-:]", "", generated)
    try:
        if keep_earlier:
            copy_aside(folder, free(folder / RUNS / f"before-{stamp}"))
        place_run(folder / RUNS, stamp, texts)
        replace_last(folder, texts)
        prune(folder / RUNS, kept)
    except OSError as error:
        remedy = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "set another path"
        raise ReportFileError(
            f"The report cannot be written to {folder} ({reason_of(error)}): {remedy} and run again. {KEPT_IN_PLACE}."
        ) from error


def place_run(runs, stamp, texts):
    new = Path(tempfile.mkdtemp(dir=runs, prefix=".new-"))
    try:
        new.chmod(0o777 & ~umask())
        for name, text in texts.items():
            put(new / name, text)
        new.rename(free(runs / stamp))
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise


def replace_last(folder, texts):
    """Replace all files, after all are written beside; of three renames, none needs space."""
    beside = {name: folder / f".{name}.{os.getpid()}" for name in texts}
    try:
        for name, text in texts.items():
            put(beside[name], text)
        for name in texts:
            beside[name].replace(folder / name)
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)


def put(path, text):
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def copy_aside(folder, aside):
    aside.mkdir()
    for name in NAMES:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(folder / name, aside / name)


def free(path):
    """Return the path, or one with a number if it is taken, as by a run in the same second."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def runs_of(folder):
    """Return the names of the runs in the folder, oldest first."""
    try:
        names = [entry.name for entry in (folder / RUNS).iterdir() if RUN.match(entry.name)]
    except OSError:
        return []
    return sorted(names, key=lambda name: (name.partition("-")[0], int(name.partition("-")[2] or 1)))


def prune(runs, kept):
    for name in runs_of(runs.parent)[:-kept]:
        shutil.rmtree(runs / name, ignore_errors=True)


def umask():
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def reason_of(error):
    return getattr(error, "strerror", None) or str(error)
