# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
import subprocess
import types
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import data_move
from ansible_collections.slipway.platform.plugins.module_utils.host import rollback


@pytest.mark.parametrize(
    ("words", "root"),
    [
        (["containerd"], None),
        (["containerd", "--root", "/data"], "/data"),
        (["containerd", "--root=/data", "--log-level", "warn"], "/data"),
        (["containerd", "--root"], ""),
    ],
)
def test_the_root_is_parsed_from_a_command_line(words: list[str], root: str | None) -> None:
    assert data_move.root_flag(words) == root


def test_the_command_line_of_a_process_is_read() -> None:
    with subprocess.Popen(["cat", "-", "a b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"ready\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"  # /proc/PID/cmdline is empty before exec
        assert data_move.command_line(process.pid) == ["cat", "-", "a b"]
    assert data_move.command_line(0) == []


@pytest.mark.parametrize(
    ("running", "wanted", "expected"),
    [
        (None, None, False),
        ("/data/docker/containerd/daemon", "/data/docker/containerd/daemon", False),
        (None, "/data/docker/containerd/daemon", True),
        ("/data/docker/containerd/daemon", None, True),
        ("/srv/containerd", None, False),
    ],
)
def test_a_root_that_others_configured_is_not_a_move(running: str | None, wanted: str | None, expected: bool) -> None:
    assert data_move.differs(running, wanted) == expected


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Path, Path]:
    """A directory, and a link to it."""
    (tmp_path / "disk/containerd/daemon").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    return tmp_path / "disk", tmp_path / "link"


def test_a_root_by_a_link_to_it_is_no_move(linked: tuple[Path, Path]) -> None:
    disk, link = (f"{root}/containerd/daemon" for root in linked)
    assert not data_move.differs(disk, link)
    assert data_move.differs(disk, f"{linked[0]}/other")


class Docker:
    """Stands in for an engine whose containerd does not run."""

    api = "/nonexistent/docker.sock"

    def __init__(self, path: Path) -> None:
        self.module = types.SimpleNamespace(params={"path": str(path)})

    def containerd_pid(self) -> int:
        return 0


@pytest.mark.parametrize(("root", "moves"), [("link", False), ("elsewhere", True)])
def test_a_data_root_that_is_spelled_otherwise_stops_no_container(
    tmp_path: Path, linked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, root: str, moves: bool
) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({"data-root": str(tmp_path / root)}))
    before = {"text": json.dumps({"data-root": str(linked[0])}), "mode": 0o644}
    monkeypatch.setattr(rollback, "load", lambda *_: {"files": {str(path): before}})
    assert data_move.is_pending(Docker(path)) == moves
