# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import subprocess

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import data_move


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
