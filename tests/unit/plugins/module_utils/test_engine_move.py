# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import engine_move


@pytest.mark.parametrize(
    ("words", "root"),
    [
        (["containerd"], None),
        (["containerd", "--root", "/data"], "/data"),
        (["containerd", "--root=/data", "--log-level", "warn"], "/data"),
        (["containerd", "--root"], ""),
    ],
)
def test_the_root_is_read_off_a_command_line(words: list[str], root: str | None) -> None:
    assert engine_move.root_flag(words) == root


def test_the_words_of_a_process_are_read() -> None:
    assert "pytest" in " ".join(engine_move.command_line(os.getpid()))
    assert engine_move.command_line(0) == []


@pytest.mark.parametrize(
    ("running", "wanted", "elsewhere"),
    [
        (None, None, False),
        ("/data/docker/containerd/daemon", "/data/docker/containerd/daemon", False),
        (None, "/data/docker/containerd/daemon", True),
        ("/data/docker/containerd/daemon", None, True),
        ("/srv/containerd", None, False),
    ],
)
def test_a_root_of_somebody_else_s_choice_is_not_a_move(
    running: str | None, wanted: str | None, elsewhere: bool
) -> None:
    assert engine_move.differs(running, wanted) == elsewhere
