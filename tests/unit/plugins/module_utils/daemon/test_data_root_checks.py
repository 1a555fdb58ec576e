# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import shutil
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import data_root_checks
from ansible_collections.slipway.platform.plugins.module_utils.host.mounts import Mount

# xfs_info of xfsprogs 6.1 on a disk made by mkfs.xfs -m crc=0 -n ftype=0, which current kernels do not mount.
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
        ("/", "is a system directory"),
        ("/home", "is a system directory"),
        ("/var/lib/containerd", "is a system directory"),
        ("/data/docker/", "is not normalized"),
        ("/data/../etc", "is not normalized"),
        ("/data/my disk", "contains a character"),
        ("/data/%n", "contains a character"),
        ("/data\n", "contains a character"),
        ("/tmp/docker", "not suitable for data"),
        ("/etc/docker/data", "not suitable for data"),
        ("/bin/sh", "is not a directory"),
        ("/bin/sh/docker", "is not a directory"),
    ],
)
def test_an_invalid_path_is_reported(root: str, words: str) -> None:
    assert words in (data_root_checks.path_problem(root) or "")


@pytest.mark.parametrize("root", ["/var/lib/docker", "/data", "/data/docker", "/home/docker", "/mnt/disk-1/d_0.x"])
def test_a_directory_of_its_own_is_accepted(root: str) -> None:
    assert data_root_checks.path_problem(root) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (mount("tmpfs"), "empty after a reboot"),
        (mount("nfs4"), "does not support image layers"),
        (mount("overlay"), "does not support image layers"),
        (mount("ext4", "ro"), "read-only"),
        (mount("xfs", "noexec"), "noexec"),
    ],
)
def test_an_unsuitable_mount_is_reported_with_a_remedy(found: Mount, words: str) -> None:
    message = data_root_checks.mount_problem("/data/docker", found) or ""
    assert words in message
    assert "/data/docker is on /data" in message
    assert "use a directory on a local disk" in message


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs"])
def test_local_disks_are_accepted(kind: str) -> None:
    assert data_root_checks.mount_problem("/data/docker", mount(kind, "nosuid")) is None


def test_an_xfs_needs_ftype() -> None:
    assert "mkfs.xfs -n ftype=1" in (data_root_checks.format_problem("/data/docker", mount("xfs"), OLD_XFS) or "")
    new = OLD_XFS.replace("ftype=0", "ftype=1")
    assert data_root_checks.format_problem("/data/docker", mount("xfs"), new) is None
    assert data_root_checks.format_problem("/data/docker", mount("ext4"), "") is None


def test_an_invalid_path_gives_a_single_message() -> None:
    problems = data_root_checks.problems(None, "data/docker", {}, leave_data=False)
    assert len(problems) == 1


@pytest.mark.parametrize("below", ["", "/docker", "/a/b"])
def test_a_link_to_nowhere_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    """Fault: the data root, or a directory above it, is a symbolic link to a disk that is not there. Outcome: refused
    before anything is installed.
    """
    monkeypatch.setattr(data_root_checks, "UNSUITABLE", ())
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk")
    found = data_root_checks.path_problem(f"{link}{below}") or ""
    assert found.startswith(f"{link} is a symbolic link to {tmp_path}/disk, which does not exist: ")
    (tmp_path / "disk").mkdir()
    assert "symbolic link" not in (data_root_checks.path_problem(f"{link}{below}") or "")
    monkeypatch.setattr(data_root_checks.data_root, "CONTAINERD_DEFAULT", str(tmp_path / "containerd"))
    (tmp_path / "containerd").symlink_to("nowhere")
    assert f"{tmp_path}/containerd is a symbolic" in (data_root_checks.path_problem("/var/lib/docker") or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")
@pytest.mark.parametrize(("owner", "mode"), [(65534, 0o755), (0, 0o757), (0, 0o1777)])
def test_a_directory_where_users_could_replace_the_data_is_rejected(
    tmp_path_factory: pytest.TempPathFactory, owner: int, mode: int
) -> None:
    disk = Path("/srv") / tmp_path_factory.mktemp("disk").name
    disk.mkdir()
    try:
        assert data_root_checks.sharing_problem(f"{disk}/docker") is None
        os.chown(disk, owner, owner)
        disk.chmod(mode)
        expected = f"users other than root can write to {disk}, "
        assert expected in (data_root_checks.sharing_problem(f"{disk}/docker") or "")
        (disk / "docker").mkdir()
        found = data_root_checks.sharing_problem(f"{disk}/docker")
        assert found is None if mode == 0o1777 else expected in (found or ""), "the sticky bit protects it"
    finally:
        shutil.rmtree(disk)
