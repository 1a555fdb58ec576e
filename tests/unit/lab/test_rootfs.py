# SPDX-License-Identifier: Apache-2.0
"""Root file systems that several tests use; tests/lab builds them."""

import io
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway.lab import debian, disk, locking, rootfs

UNPACK = """
import sys
from pathlib import Path
from slipway.lab import locking, rootfs
from slipway.lab.errors import LabError
archive, into = map(Path, sys.argv[1:])
locking.LAB = archive.parent
rootfs.build = lambda _: archive
try:
    rootfs.unpack(rootfs.TOOLS, into)
except LabError as error:
    print(error)
"""


def test_a_root_that_several_tests_want_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process unpacks it, and the others wait."""
    built: list[Path] = []

    def build(definition: rootfs.Rootfs) -> Path:
        built.append(tmp_path / f"{definition.name}.{len(built)}.tar")
        with tarfile.open(built[-1], "w") as archive:
            archive.add(__file__, "tool")
        return built[-1]

    monkeypatch.setattr(rootfs, "build", build)
    monkeypatch.setattr(locking, "LAB", tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: rootfs.unpack(rootfs.TOOLS, tmp_path / "root"), range(8)))
    assert len(built) == 1
    assert (tmp_path / "root/tool").read_bytes() == Path(__file__).read_bytes()


def test_packages_are_carried_from_a_clone_whose_path_has_a_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mmdebstrap reads the hook copy-in as a shell reads a line."""
    lab = tmp_path / "a clone"
    hooks: list[str] = []

    def bootstrap(_: list[str], into: Path, extra: list[str], __: str) -> None:
        hooks.extend(extra)
        into.touch()

    monkeypatch.setattr(rootfs, "LAB", lab)
    monkeypatch.setattr(debian, "download", lambda *_: None)
    monkeypatch.setattr(debian, "bootstrap", bootstrap)
    rootfs.build(rootfs.TOOLS)
    assert shlex.split(hooks[-1]) == ["--customize-hook=copy-in", str(lab / "debs"), "/srv/slipway"]


def test_only_the_packages_of_this_build_are_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed build may have left other versions, and packages of other suites."""
    debs = tmp_path / "debs"
    for suite in ("bookworm", "bullseye"):
        (debs / suite).mkdir(parents=True)
        (debs / suite / "docker.io_1_amd64.deb").touch()

    def download(_: list[str], __: str, into: Path) -> None:
        into.mkdir(parents=True, exist_ok=True)
        (into / "docker.io_2_amd64.deb").touch()

    monkeypatch.setattr(rootfs, "LAB", tmp_path)
    monkeypatch.setattr(debian, "download", download)
    monkeypatch.setattr(debian, "bootstrap", lambda _, into, *__: into.touch())
    rootfs.build(rootfs.TOOLS)
    assert {str(file.relative_to(debs)) for file in debs.glob("*/*")} == {
        f"{suite}/docker.io_2_amd64.deb" for suite in rootfs.TOOLS.carried
    }


def test_a_full_disk_is_reported_in_one_sentence(tmp_path: Path, small_disk: Callable[[Path, str], list[str]]) -> None:
    archive, folder = tmp_path / "root.tar", tmp_path / "disk"
    with tarfile.open(archive, "w") as tar:
        for number in range(10):
            member = tarfile.TarInfo(f"file{number}")
            member.size = 400_000
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    command = [*small_disk(folder, "size=1m"), sys.executable, "-c", UNPACK, str(archive), str(folder / "root")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (sentence,) = done.stdout.splitlines()
    assert sentence.startswith(
        f"tar failed because the disk is full: free some space for {disk.PLACES}, then run again. (tar: file"
    )
    assert done.stderr == ""
