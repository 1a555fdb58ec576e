# SPDX-License-Identifier: Apache-2.0
"""What was given to the bake in confidence is nowhere on the disk that is made of the folder."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.lab.play import Run

Check = Callable[[Path], tuple[int, list[str]]]


def files(root: Path) -> set[tuple[str, int, int, int]]:
    """Return what would tell of a change: path, mode, size and time of every file."""
    found = ((path, path.lstat()) for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return {(str(path), status.st_mode, status.st_size, status.st_mtime_ns) for path, status in found}


@pytest.fixture(scope="module")
def refused(root: Path, bake: Callable[..., Run], canary: str) -> tuple[Run, bool]:
    """A bake that was given a token in plain text; and whether it changed anything."""
    before = files(root)
    run = bake(docker_registry_auth_logins=[{"username": "acme", "token": canary}])
    return run, files(root) != before


@pytest.fixture(scope="module")
def disk(root: Path, refused: tuple[Run, bool]) -> Iterator[Path]:
    assert refused
    disk = root.with_name("disk.raw")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk, "2G"], check=True)
    yield disk
    disk.unlink()


def test_a_secret_in_plain_text_is_refused_and_changes_nothing(
    root: Path, refused: tuple[Run, bool], canary: str
) -> None:
    run, changed = refused
    assert "user root at docker.io. Have docker_firstboot_credentials read it" in run.failure(root.name)
    assert canary not in run.output
    assert not changed


def test_the_folder_may_ship(root: Path, check: Check) -> None:
    assert check(root) == (0, [])


def test_the_canary_is_nowhere_in_the_bytes_of_the_disk(disk: Path, check: Check) -> None:
    assert check(disk) == (0, [])


def test_a_canary_that_was_written_and_removed_is_caught(disk: Path, canary: str, check: Check, tmp_path: Path) -> None:
    written = tmp_path / "written"
    written.write_text(canary)
    for request in (f"write {written} /root/written", "rm /root/written"):
        subprocess.run(["debugfs", "-w", "-R", request, disk], check=True, capture_output=True)
    listing = subprocess.run(["debugfs", "-R", "ls /root", disk], check=True, capture_output=True, text=True).stdout
    assert ".docker" in listing and "written" not in listing
    status, (line,) = check(disk)
    assert status == 1
    assert line.startswith(f"{disk}, byte ") and line.endswith(": the canary")
