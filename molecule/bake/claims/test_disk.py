# SPDX-License-Identifier: Apache-2.0
"""The secrets that a bake was given are nowhere in the bytes of its disk."""

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
    """A disk and the results of two bakes on it: the first with a plain-text token, the second without."""

    disk: Path
    machine: str
    hosts: Path
    refused: Run
    changed: bool
    run: Run


def files(root: Path) -> set[tuple[str, int, int, int]]:
    """Return path, mode, size and mtime of every file, to detect changes."""
    found = ((path, path.lstat()) for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return {(str(path), status.st_mode, status.st_size, status.st_mtime_ns) for path, status in found}


@contextmanager
def mounted(disk: Path) -> Iterator[Path]:
    """Mount the disk in a folder. Every file that exists for a second reaches the disk, even if it is removed later."""
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


def test_a_plain_text_secret_is_rejected_before_anything_changes(baked: Baked, canary: str) -> None:
    assert "user root at docker.io. Have docker_firstboot_credentials read it" in baked.refused.failure(baked.machine)
    assert canary not in baked.refused.output
    assert not baked.changed


def test_the_canary_is_nowhere_on_the_disk(baked: Baked, check: Check) -> None:
    """Fault: a canary is given to a bake in place of a secret. Outcome: it is nowhere in the disk's bytes."""
    assert baked.run.status == 0, baked.run.output
    assert check(baked.disk) == (0, [])


def test_the_check_finds_a_login_that_the_seal_removed(
    baked: Baked, seal: Callable[[Path], Run], canary: str, check: Check
) -> None:
    """Fault: a secret was written in a bake and deleted. Outcome: found in the raw image."""
    with mounted(baked.disk) as folder:
        login = folder / baked.machine / "root/.docker/config.json"
        login.parent.mkdir()
        login.write_text(f'{{"auths": {{"registry.example.com": {{"identitytoken": "{canary}"}}}}}}')
        run = seal(baked.hosts)
        assert run.status == 0, run.output
        assert not login.exists()
        assert check(folder / baked.machine) == (0, [])
    status, lines = check(baked.disk)
    assert status == 1
    assert any(line.startswith(f"{baked.disk}, byte ") and line.endswith(": the canary") for line in lines)
