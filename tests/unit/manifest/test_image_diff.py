# SPDX-License-Identifier: Apache-2.0
"""The command slipway-machine-image-diff."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.program

PROGRAM = str(Path(sys.prefix) / "bin/slipway-machine-image-diff")


def package(name: str, version: str, *, epoch: int = 0, arch: str = "x86_64", key: str = "05b555b38483c65d") -> Any:
    return {"name": name, "epoch": epoch, "version": version, "release": "1", "arch": arch, "key": key}


def manifest(*packages: Any, **values: Any) -> str:
    return json.dumps({"format": 1, "os": {"id": "centos"}, "release": {}, "packages": packages, **values})


def diff(folder: Path, old: str, new: str) -> tuple[int, list[list[str]], str]:
    """Return the exit status, the cells of each row, and stderr."""
    (folder / "old").write_text(old)
    (folder / "new").write_text(new)
    done = subprocess.run([PROGRAM, "old", "new"], cwd=folder, capture_output=True, text=True, check=False)
    rows = [line.strip("│ ").split("│") for line in done.stdout.splitlines() if line.startswith("│")]
    return done.returncode, [[cell.strip() for cell in row] for row in rows], done.stderr


ZLIB = package("zlib", "1.2")


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ([], [ZLIB], [["added", "zlib.x86_64", "", "1.2-1"]]),
        ([ZLIB], [], [["removed", "zlib.x86_64", "1.2-1"]]),
        ([package("a", "1.9")], [package("a", "1.10")], [["upgraded", "a.x86_64", "1.9-1", "1.10-1"]]),
        ([package("a", "1~rc1")], [package("a", "1")], [["upgraded", "a.x86_64", "1~rc1-1", "1-1"]]),
        ([package("a", "1")], [package("a", "1^git1")], [["upgraded", "a.x86_64", "1-1", "1^git1-1"]]),
        ([package("a", "1", epoch=1)], [package("a", "2")], [["downgraded", "a.x86_64", "1:1-1", "2-1"]]),
        (
            [package("k", "1"), package("k", "2")],
            [package("k", "2"), package("k", "3")],
            [["upgraded", "k.x86_64", "1-1", "3-1"]],
        ),
        (
            [package("k", "1")],
            [package("k", "2"), package("k", "3")],
            [["removed", "k.x86_64", "1-1"], ["added", "k.x86_64", "", "2-1"], ["added", "k.x86_64", "", "3-1"]],
        ),
        ([ZLIB], [{**ZLIB, "key": ""}], [["re-signed", "zlib.x86_64", "05b555b38483c65d", "unsigned"]]),
        (
            [package("a", "1")],
            [package("a", "2", key="f" * 16)],
            [["upgraded", "a.x86_64", "1-1", "2-1"], ["re-signed", "a.x86_64", "05b555b38483c65d", "f" * 16]],
        ),
        (
            [package("gpg-pubkey", "8483c65d", arch="")],
            [package("gpg-pubkey", "fd431d51", arch="")],
            [["removed", "gpg-pubkey", "8483c65d-1"], ["added", "gpg-pubkey", "", "fd431d51-1"]],
        ),
    ],
)
def test_each_package_change_has_a_row(tmp_path: Path, old: Any, new: Any, rows: Any) -> None:
    assert diff(tmp_path, manifest(*old), manifest(*new)) == (1, rows, "")


def test_images_that_differ_only_in_time_are_equal(tmp_path: Path) -> None:
    old, new = ({"SLIPWAY_VERSION": "0.1.0", "SLIPWAY_TIME": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2))
    assert diff(tmp_path, manifest(ZLIB, release=old), manifest(ZLIB, release=new)) == (0, [], "")


def test_a_different_commit_and_operating_system_are_listed(tmp_path: Path) -> None:
    new = manifest(os={"id": "[red]"}, release={"SLIPWAY_COMMIT": "1f"})
    assert diff(tmp_path, manifest(), new)[1] == [
        ["changed", "id", "centos", "[red]"],
        ["changed", "SLIPWAY_COMMIT", "", "1f"],
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "new is not valid JSON"),
        ("[]", "new is not a manifest: use one written by machine_image_provenance"),
        ("{}", "new is not a manifest"),
        (manifest(format=2), "new has format 2, but 1 is expected"),
        (manifest({**ZLIB, "epoch": "0"}), "at $.packages[0].epoch: '0' is not of type 'integer'"),
        (manifest({**ZLIB, "size": 1}), "at $.packages[0].size"),
        (manifest({"name": "zlib"}), "at $.packages[0]: 'epoch' is a required property"),
    ],
)
def test_an_invalid_manifest_is_rejected_in_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    status, rows, errors = diff(tmp_path, manifest(), content)
    assert (status, rows, len(errors.splitlines())) == (2, [], 1)
    assert said in errors


def test_a_missing_file_is_reported_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "a", "b"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "slipway-machine-image-diff: a cannot be read: No such file or directory.\n"


def test_what_an_image_tells_of_itself_cannot_control_the_terminal(tmp_path: Path) -> None:
    """Fault: names in an image have characters that control a terminal. Outcome: they are shown escaped."""
    hostile = "\x1b[2J\x1b]0;owned\x07\x9b2J[red]"
    status, rows, said = diff(tmp_path, manifest(), manifest(ZLIB | {"name": hostile}, os={"id": hostile}))
    assert status == 1
    shown = "".join(cell for row in rows for cell in row)
    assert shown.isprintable()
    assert shown.count("\\x1b[2J") == 2
    assert shown.count("[red]") == 2
    assert said == ""
