# SPDX-License-Identifier: Apache-2.0
"""Root file systems that several tests use; tests/lab builds them."""

import shlex
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway.lab import debian, locking, rootfs


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
