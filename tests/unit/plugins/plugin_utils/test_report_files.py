# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A report is written beside the earlier ones, none of which is lost when that fails."""

import errno
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import report_files, report_model

from tests.support import fleet_answers as fleet

TIME = "2026-11-30T01:45:00Z"
ROOT = os.geteuid() == 0


def write(folder: Path, text: str = "new", time: str = TIME, kept: int = 30, **options: Any) -> None:
    report_files.write(folder, dict.fromkeys(report_files.NAMES, text), time, kept, **options)


def texts(folder: Path) -> list[str]:
    return [(folder / name).read_text() for name in report_files.NAMES]


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def prepared(folder: Path) -> Path:
    report_files.prepare(folder)
    return folder


def test_a_run_is_the_last_report_and_one_of_the_runs(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "a/b")
    write(folder)
    assert texts(folder) == texts(folder / "runs/20261130T014500Z") == ["new"] * 3
    assert sorted(path.name for path in folder.iterdir()) == sorted([*report_files.NAMES, "runs"])


def test_two_runs_in_a_second_are_two_runs(tmp_path: Path) -> None:
    for _ in range(11):
        write(prepared(tmp_path))
    names = report_files.runs_of(tmp_path)
    assert names[0] == "20261130T014500Z"
    assert names[-1] == "20261130T014500Z-11"
    assert len(names) == 11


def test_the_oldest_runs_go_and_nothing_else(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "runs/notes").mkdir()
    for minute in range(40):
        write(tmp_path, time=f"2026-11-30T01:{minute:02d}:00Z", kept=30)
    names = report_files.runs_of(tmp_path)
    assert len(names) == 30
    assert names[0] == "20261130T011000Z"
    assert (tmp_path / "runs/notes").is_dir()


def test_the_history_comes_from_the_earlier_report(tmp_path: Path) -> None:
    report = fleet.report(3)
    write(prepared(tmp_path), report_model.text(report))
    assert report_files.prepare(tmp_path) == (report["history"], "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"schema": 7, "history": []}', "has schema 7, and this report has 1"),
        ('{"schema": "<b>"}', "has schema <b>"),
        ("{}", "is not a report"),
        ("[1]", "is not a report"),
        ("not json", "is not a report"),
        ("[" * 100_000, "is not a report"),
    ],
)
def test_a_report_of_another_schema_is_kept_and_said(tmp_path: Path, text: str, words: str) -> None:
    """Fault: the folder has a report of another schema. Outcome: a copy of it is kept, and one sentence says so."""
    write(prepared(tmp_path), text)
    (tmp_path / "runs/20261130T014500Z/report.json").unlink()
    history, problem = report_files.prepare(tmp_path)
    assert history == []
    assert words in problem
    assert "a copy of it is kept" in problem
    write(tmp_path, "new", "2026-11-30T02:00:00Z", keep_earlier=True)
    assert texts(tmp_path / "runs/before-20261130T020000Z") == [text] * 3
    assert texts(tmp_path) == ["new"] * 3


@pytest.mark.parametrize(
    "history", [None, 7, [1, {"hosts": 1}, {"hosts": "x", "fail": 1, "warn": 0, "ok": 0, "silent": 0}]]
)
def test_a_history_that_is_damaged_is_left_out(tmp_path: Path, history: Any) -> None:
    write(prepared(tmp_path), json.dumps({"schema": 1, "history": history}))
    assert report_files.prepare(tmp_path) == ([], "")


def test_a_page_that_no_report_wrote_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a site")
    with pytest.raises(
        report_files.ReportFileError, match=r"has an index\.html that no report wrote: set it to a folder"
    ):
        report_files.prepare(tmp_path)
    assert (tmp_path / "index.html").read_text() == "a site"


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(
            report_files.ReportFileError, match=r"cannot be made a folder \(.*\): set it to a folder that"
        ):
            report_files.prepare(path)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_folder_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    prepared(tmp_path)
    tmp_path.chmod(0o555)
    with pytest.raises(report_files.ReportFileError, match="is not writable: set it to a folder that you may write to"):
        report_files.prepare(tmp_path)


@pytest.mark.skipif(not ROOT, reason="mounting a small disk needs root")
def test_a_full_disk_leaves_the_earlier_report(tmp_path: Path) -> None:
    """Fault: the disk fills up while the report is written. Outcome: the earlier report is whole, with one sentence."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        write(prepared(tmp_path), "old")
        before = everything(tmp_path)
        with pytest.raises(report_files.ReportFileError) as refused:
            write(tmp_path, "x" * 100_000, "2026-11-30T02:00:00Z")
        assert str(refused.value) == (
            f"The report cannot be written to {tmp_path} (No space left on device): free some space and run again. "
            "The earlier report is unchanged."
        )
        assert everything(tmp_path) == before
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("at", range(6))
def test_wherever_writing_fails_the_last_report_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    write(prepared(tmp_path), "old")
    real, calls = report_files.put, iter(range(100))

    def fail(path: Path, text: str) -> None:
        if next(calls) == at:
            path.write_text(text[:1])
            raise OSError(errno.EIO, "Input/output error")
        real(path, text)

    monkeypatch.setattr(report_files, "put", fail)
    with pytest.raises(report_files.ReportFileError, match="Input/output error"):
        write(tmp_path, "new", "2026-11-30T02:00:00Z")
    assert texts(tmp_path) == ["old"] * 3
    assert not list(tmp_path.rglob(".*"))
