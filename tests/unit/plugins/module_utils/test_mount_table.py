# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import mount_table

TEXT = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard
30 22 0:26 / /data rw,nosuid shared:13 - nfs4 server:/ex ro,vers=4.2
31 22 0:26 / /data rw,noexec shared:13 master:7 - xfs /dev/vdb rw,noquota
32 31 0:27 / /data/my\040disk rw - tmpfs tmpfs rw
33 22 0:28 / /database rw - btrfs /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("path", "point", "kind"),
    [
        ("/", "/", "ext4"),
        ("/var/lib", "/", "ext4"),
        ("/data", "/data", "xfs"),
        ("/data/docker", "/data", "xfs"),
        ("/data/my disk/docker", "/data/my disk", "tmpfs"),
        ("/database/docker", "/database", "btrfs"),
    ],
)
def test_the_innermost_mount_holds_a_path_and_the_last_of_several_at_one_point(
    path: str, point: str, kind: str
) -> None:
    mount = mount_table.holding(path, mount_table.parse(TEXT))
    assert (mount.point, mount.kind) == (point, kind)


def test_options_of_the_mount_and_of_the_file_system_count() -> None:
    nfs, xfs = mount_table.parse(TEXT)[1:3]
    assert {"ro", "nosuid"} <= nfs.options
    assert "noexec" in xfs.options
    assert "ro" not in xfs.options


def test_this_machine_has_a_root() -> None:
    mounts = mount_table.parse(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    assert mount_table.holding("/proc/self", mounts).kind == "proc"


def test_nothing_is_said_to_hold_a_path_of_a_chroot() -> None:
    assert mount_table.holding("/var/lib", mount_table.parse("")) is None
    below = mount_table.parse("22 1 0:5 / /proc rw - proc proc rw\n")
    assert mount_table.holding("/var/lib", below) is None
