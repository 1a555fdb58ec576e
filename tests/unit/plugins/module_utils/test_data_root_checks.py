# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils import data_root_checks
from ansible_collections.slipway.platform.plugins.module_utils.mount_table import Mount

# xfs_info of xfsprogs 6.1 on a disk made by mkfs.xfs -m crc=0 -n ftype=0, which today's kernels do not mount.
OLD_XFS = """\
meta-data=/dev/sdb               isize=256    agcount=4, agsize=20480 blks
         =                       sectsz=512   attr=2, projid32bit=1
         =                       crc=0        finobt=0, sparse=0, rmapbt=0
data     =                       bsize=4096   blocks=81920, imaxpct=25
naming   =version 2              bsize=4096   ascii-ci=0, ftype=0
log      =internal log           bsize=4096   blocks=16384, version=2
"""


def mount(kind: str, *options: str) -> Mount:
    return Mount("/data", kind, {"rw", *options}, "/", "/dev/vdb")


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("data/docker", "not an absolute path"),
        ("", "not an absolute path"),
        ("/", "belongs to the system"),
        ("/home", "belongs to the system"),
        ("/var/lib/containerd", "belongs to the system"),
        ("/data/docker/", "write that"),
        ("/data/../etc", "write that"),
        ("/data/my disk", "has a character"),
        ("/data/%n", "has a character"),
        ("/data\n", "has a character"),
        ("/tmp/docker", "no place for data"),
        ("/etc/docker/data", "no place for data"),
        ("/bin/sh", "is not a directory"),
        ("/bin/sh/docker", "is not a directory"),
    ],
)
def test_a_path_that_cannot_be_a_data_root_is_named(root: str, words: str) -> None:
    assert words in (data_root_checks.path_problem(root) or "")


@pytest.mark.parametrize("root", ["/var/lib/docker", "/data", "/data/docker", "/home/docker", "/mnt/disk-1/d_0.x"])
def test_a_directory_of_its_own_will_do(root: str) -> None:
    assert data_root_checks.path_problem(root) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (mount("tmpfs"), "empty after a reboot"),
        (mount("nfs4"), "no image layers"),
        (mount("overlay"), "no image layers"),
        (mount("ext4", "ro"), "read-only"),
        (mount("xfs", "noexec"), "noexec"),
    ],
)
def test_a_mount_that_cannot_hold_the_data_is_named_with_a_remedy(found: Mount, words: str) -> None:
    sentence = data_root_checks.mount_problem("/data/docker", found) or ""
    assert words in sentence
    assert "/data/docker is on /data" in sentence
    assert "name a directory on a local disk" in sentence


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs"])
def test_local_disks_will_do(kind: str) -> None:
    assert data_root_checks.mount_problem("/data/docker", mount(kind, "nosuid")) is None


def test_an_xfs_needs_ftype() -> None:
    assert "mkfs.xfs -n ftype=1" in (data_root_checks.format_problem("/data/docker", mount("xfs"), OLD_XFS) or "")
    new = OLD_XFS.replace("ftype=0", "ftype=1")
    assert data_root_checks.format_problem("/data/docker", mount("xfs"), new) is None
    assert data_root_checks.format_problem("/data/docker", mount("ext4"), "") is None


def test_a_path_that_is_one_is_looked_up_no_further() -> None:
    problems = data_root_checks.problems(None, "data/docker", leave_data=False)
    assert len(problems) == 1
