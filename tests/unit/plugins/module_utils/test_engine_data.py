# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import engine_data, mount_table

MOUNTS = """\
22 1 253:1 / / rw,relatime shared:1 - xfs /dev/vda1 rw
40 22 253:2 / /var/lib/docker rw,relatime shared:2 - xfs /dev/vdb rw
51 40 0:50 / /var/lib/docker/overlay2/ab\\040cd/merged rw,relatime - overlay overlay rw
"""


def test_roots_that_hold_nothing_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "docker/image").mkdir(parents=True)
    assert engine_data.existing([str(tmp_path / "docker"), str(tmp_path / "none")]) == [str(tmp_path / "docker")]


def test_what_engines_make_may_go(tmp_path: Path) -> None:
    for name in ("overlay2", "image", "engine-id", "io.containerd.content.v1.content", "lost+found"):
        (tmp_path / name).mkdir()
    engine_data.refuse_foreign(str(tmp_path))


def test_what_no_engine_makes_is_named(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(engine_data.DataError, match=r"holds thesis\.tex, which no engine made"):
        engine_data.refuse_foreign(str(tmp_path))


def test_a_mount_below_the_root_is_refused_and_the_root_itself_is_not() -> None:
    points = mount_table.parse(MOUNTS)
    with pytest.raises(engine_data.DataError, match="is still mounted"):
        engine_data.refuse_mounted("/var/lib/docker", points)
    engine_data.refuse_mounted("/var/lib/docker", points[:2])
    engine_data.refuse_mounted("/var/lib/dock", points)


def test_an_ordinary_root_goes_whole(tmp_path: Path) -> None:
    assert engine_data.remove_command(str(tmp_path))[-1] == str(tmp_path)


def test_of_a_mount_point_only_the_content_goes() -> None:
    assert "/proc" not in engine_data.remove_command("/proc")
    assert "/proc/self" in engine_data.remove_command("/proc")
