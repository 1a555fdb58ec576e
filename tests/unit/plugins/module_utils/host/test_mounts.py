# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts as host_mounts

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
def test_a_path_is_on_the_innermost_mount_and_the_last_of_several_at_one_point(
    path: str, point: str, kind: str
) -> None:
    mount = host_mounts.holding(path, host_mounts.parse(TEXT))
    assert (mount.point, mount.kind) == (point, kind)


def test_options_of_mount_and_file_system_are_combined() -> None:
    nfs, xfs = host_mounts.parse(TEXT)[1:3]
    assert {"ro", "nosuid"} <= nfs.options
    assert "noexec" in xfs.options
    assert "ro" not in xfs.options


def test_mounts_of_this_machine_can_be_parsed() -> None:
    mounts = host_mounts.parse(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    assert host_mounts.holding("/proc/self", mounts).kind == "proc"


def test_the_mount_of_a_path_in_a_chroot_is_unknown() -> None:
    assert host_mounts.holding("/var/lib", host_mounts.parse("")) is None
    below = host_mounts.parse("22 1 0:5 / /proc rw - proc proc rw\n")
    assert host_mounts.holding("/var/lib", below) is None


@pytest.mark.parametrize("separator", ["\r", "\x0b", "\x1c", "\x85", "\u2028"])
def test_a_path_may_have_any_separator_that_the_kernel_does_not_escape(separator: str) -> None:
    text = f"22 1 254:0 / / rw - ext4 /dev/vda1 rw\n32 22 0:27 / /a{separator}b rw - tmpfs tmpfs rw\n"
    assert [mount.point for mount in host_mounts.parse(text)] == ["/", f"/a{separator}b"]


def test_a_file_system_may_have_no_source() -> None:
    (mount,) = host_mounts.parse("32 22 0:27 / /run/x rw - tmpfs  rw,size=4k\n")
    assert (mount.kind, mount.source, "size=4k" in mount.options) == ("tmpfs", "", True)
