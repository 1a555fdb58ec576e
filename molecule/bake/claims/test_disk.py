# SPDX-License-Identifier: Apache-2.0
"""What was given to a bake in confidence is nowhere in the bytes of the disk on which it was baked."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.lab import play
from slipway.lab.play import Run

Check = Callable[[Path], tuple[int, list[str]]]


@dataclass(frozen=True)
class Baked:
    """A disk, and how its machine was baked: first with a token in plain text, then without."""

    disk: Path
    machine: str
    hosts: Path
    refused: Run
    changed: bool
    run: Run


def files(root: Path) -> set[tuple[str, int, int, int]]:
    """Return what would tell of a change: path, mode, size and time of every file."""
    found = ((path, path.lstat()) for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return {(str(path), status.st_mode, status.st_size, status.st_mtime_ns) for path, status in found}


@contextmanager
def mounted(disk: Path) -> Iterator[Path]:
    """Have the disk's file system in a folder; what stays for a second is on the disk even when it is removed."""
    folder = disk.with_suffix("")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "--options", "loop,nodelalloc,commit=1", disk, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@pytest.fixture(scope="module")
def baked(root: Path, bake_playbook: Path, canary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baked]:
    disk, hosts = root.with_name("disk.raw"), tmp_path_factory.mktemp("disk") / "hosts.yml"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", disk, "2G"], check=True)
    with mounted(disk) as folder:
        machine = folder / "machine"
        create = [sys.executable, "-m", "slipway.lab", "create-root", machine, f"--inventory={hosts}"]
        subprocess.run(create, check=True)
        before = files(machine)
        login = {"username": "acme", "token": canary}
        refused = play.run(bake_playbook, hosts, {"docker_registry_auth_logins": [login]})
        changed = files(machine) != before
        run = play.run(bake_playbook, hosts)
    yield Baked(disk, machine.name, hosts, refused, changed, run)
    disk.unlink()


def test_a_secret_in_plain_text_is_refused_and_changes_nothing(baked: Baked, canary: str) -> None:
    assert "user root at docker.io. Have docker_firstboot_credentials read it" in baked.refused.failure(baked.machine)
    assert canary not in baked.refused.output
    assert not baked.changed


def test_the_canary_is_nowhere_in_the_bytes_of_the_disk(baked: Baked, check: Check) -> None:
    assert baked.run.status == 0, baked.run.output
    assert check(baked.disk) == (0, [])


def test_a_login_that_the_seal_has_removed_is_caught(
    baked: Baked, bake_playbook: Path, canary: str, check: Check
) -> None:
    with mounted(baked.disk) as folder:
        login = folder / baked.machine / "root/.docker/config.json"
        login.parent.mkdir()
        login.write_text(f'{{"auths": {{"registry.example.com": {{"identitytoken": "{canary}"}}}}}}')
        run = play.run(bake_playbook, baked.hosts)
        assert run.status == 0, run.output
        assert not login.exists()
        assert check(folder / baked.machine) == (0, [])
    status, lines = check(baked.disk)
    assert status == 1
    assert any(line.startswith(f"{baked.disk}, byte ") and line.endswith(": the canary") for line in lines)
