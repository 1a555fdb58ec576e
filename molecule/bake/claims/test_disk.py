# SPDX-License-Identifier: Apache-2.0
"""The secrets that a bake was given are nowhere in the bytes of its disk."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.lab import play
from slipway.lab.play import Run

Check = Callable[[Path], tuple[int, list[str]]]


@pytest.fixture(scope="module")
def disk(root: Path) -> Path:
    return root.parent.with_suffix(".raw")


def files(root: Path) -> set[tuple[str, int, int, int]]:
    """Return path, mode, size and mtime of every file, to detect changes."""
    found = ((path, path.lstat()) for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return {(str(path), status.st_mode, status.st_size, status.st_mtime_ns) for path, status in found}


def written(disk: Path) -> Path:
    """The disk, once everything in its folder has reached it."""
    subprocess.run(["sync", "--file-system", disk.with_suffix("")], check=True)
    return disk


def test_a_plain_text_secret_is_rejected_before_anything_changes_and_is_nowhere_on_the_disk(
    root: Path, disk: Path, inventory: Path, bake_playbook: Path, canary: str, check: Check
) -> None:
    """Fault: a canary is given to a bake in place of a secret. Outcome: it is nowhere in the disk's bytes."""
    before = files(root)
    login = {"username": "acme", "token": canary}
    refused = play.run(bake_playbook, inventory, {"docker_registry_auth_logins": [login]})
    assert "user root at docker.io. Have docker_firstboot_credentials read it" in refused.failure(root.name)
    assert canary not in refused.output
    assert files(root) == before
    assert check(written(disk)) == (0, [])


def test_the_check_finds_a_login_that_the_seal_removed(
    root: Path, disk: Path, inventory: Path, seal: Callable[[Path], Run], canary: str, check: Check
) -> None:
    """Fault: a secret was written in a bake and deleted. Outcome: found in the raw image."""
    login = root / "root/.docker/config.json"
    helpers = login.read_text()
    login.write_text(f'{{"auths": {{"registry.example.com": {{"identitytoken": "{canary}"}}}}}}')
    run = seal(inventory)
    assert run.status == 0, run.output
    assert not login.exists()
    assert check(root) == (0, [])
    login.touch(mode=0o600)
    login.write_text(helpers)
    status, lines = check(written(disk))
    assert status == 1
    assert any(line.startswith(f"{disk}, byte ") and line.endswith(": the canary") for line in lines)
