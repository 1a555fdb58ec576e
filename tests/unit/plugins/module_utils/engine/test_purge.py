# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import purge
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts

MOUNTS = """\
22 1 253:1 / / rw,relatime shared:1 - xfs /dev/vda1 rw
40 22 253:2 / /var/lib/docker rw,relatime shared:2 - xfs /dev/vdb rw
51 40 0:50 / /var/lib/docker/overlay2/ab\\040cd/merged rw,relatime - overlay overlay rw
"""


def test_absent_roots_are_omitted(tmp_path: Path) -> None:
    (tmp_path / "docker/image").mkdir(parents=True)
    assert purge.existing([str(tmp_path / "docker"), str(tmp_path / "none")]) == [str(tmp_path / "docker")]


def test_files_of_engines_are_accepted(tmp_path: Path) -> None:
    for name in (
        "165536.165536",
        ".slipway-trial-x_y",
        "overlay2",
        "image",
        "engine-id",
        "io.containerd.content.v1.content",
        "lost+found",
    ):
        (tmp_path / name).mkdir()
    purge.refuse_foreign(str(tmp_path))


def test_other_files_are_rejected_by_name(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(purge.PurgeError, match=r"contains thesis\.tex, which no engine creates"):
        purge.refuse_foreign(str(tmp_path))


def test_a_mount_below_the_root_is_rejected() -> None:
    points = mounts.parse(MOUNTS)
    with pytest.raises(purge.PurgeError, match="is still mounted"):
        purge.refuse_mounted("/var/lib/docker", points)
    purge.refuse_mounted("/var/lib/docker", points[:2])
    purge.refuse_mounted("/var/lib/dock", points)


def test_a_root_that_is_a_directory_is_removed(tmp_path: Path) -> None:
    assert purge.remove_command(str(tmp_path))[-1] == str(tmp_path)


def test_the_data_behind_a_link_are_removed_and_the_link_stays(tmp_path: Path) -> None:
    """Fault: the data root is a symbolic link. Outcome: a purge deletes the data, not the link."""
    (tmp_path / "disk/image").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to("disk")
    assert purge.remove_command(str(link))[-1] == str(link / "image")
    assert purge.existing([str(link)]) == [str(link)]
    mount = mounts.Mount(f"{tmp_path}/disk/image/x", "overlay", set(), "/", "overlay")
    with pytest.raises(purge.PurgeError, match="is still mounted"):
        purge.refuse_mounted(str(link), [mount])
    (tmp_path / "disk/image").rmdir()
    assert purge.existing([str(link)]) == []


def test_only_the_content_of_a_mount_point_is_removed() -> None:
    assert "/proc" not in purge.remove_command("/proc")
    assert "/proc/self" in purge.remove_command("/proc")
