# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what makes a directory useless as the engine's data root, before anything is changed."""

import os
import re

from ansible_collections.slipway.platform.plugins.module_utils import data_root, mount_table
from ansible_collections.slipway.platform.plugins.module_utils.file_io import nearest_existing_parent

# Where docker_daemon writes them unless it is told otherwise.
DAEMON_JSON = "/etc/docker/daemon.json"
CONTAINERD_DROP_IN = "/etc/systemd/system/containerd.service.d/slipway.conf"
PREFIX = "docker_engine_data_root: "
# dockerd takes its root away from all users but root (0710), which none of these would survive.
SYSTEM_DIRECTORIES = frozenset(
    """
    / /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/local /var
    /var/cache /var/lib /var/lib/containerd /var/log /var/run /var/spool /var/tmp
    """.split()  # noqa: SIM905  (a list of thirty lines otherwise)
)
NOT_FOR_DATA = ("/boot/", "/dev/", "/etc/", "/proc/", "/run/", "/sys/", "/tmp/", "/usr/", "/var/run/", "/var/tmp/")
IN_MEMORY = frozenset(("devtmpfs", "ramfs", "tmpfs"))
REMOTE = frozenset(("9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"))
WITHOUT_LAYERS = frozenset(
    ("aufs", "ecryptfs", "exfat", "fuseblk", "iso9660", "msdos", "ntfs", "ntfs3", "overlay", "squashfs", "vfat")
)
REMEDY = "name a directory on a local disk with ext4 or xfs"


def problems(module, root, leave_data, daemon_json=DAEMON_JSON, containerd_drop_in=CONTAINERD_DROP_IN):
    """A sentence for each thing that speaks against this data root, on this host."""
    found = path_problem(root)
    if found:
        return [PREFIX + found]
    parent = os.path.realpath(nearest_existing_parent(root))
    mount = mount_table.holding(parent, mount_table.current())
    # At the default root an engine may be at work, or be baked into an image on whatever file system builds it.
    if mount:
        found = None if root == data_root.DEFAULT else mount_problem(root, mount)
        found = found or format_problem(root, mount, xfs_info(module, mount))
    moved = None if leave_data else data_root.move_problem(root, daemon_json, containerd_drop_in)
    return ([PREFIX + found] if found else []) + ([moved] if moved else [])


def path_problem(root):
    """The sentence about a path that cannot be a data root on any host, or that is something else on this one."""
    if not os.path.isabs(root):
        return f"{root} is not an absolute path: write it from / on, such as /data/docker"
    if not re.match(r"\A[\w/.@+-]+\Z", root, re.ASCII):
        return f"{root!r} has a character that units and scripts stumble over: use letters, digits and ._@+-"
    if os.path.normpath(root) != root:
        return f"{root} is another way to write {os.path.normpath(root)}: write that"
    if root in SYSTEM_DIRECTORIES:
        return f"{root} belongs to the system, and dockerd would close it to all users: name a directory of its own"
    if root.startswith(NOT_FOR_DATA):
        return f"{root} is no place for data, which has to outlive a reboot and an update: {REMEDY}"
    existing = nearest_existing_parent(root)
    if not os.path.isdir(existing):
        return f"{existing} is not a directory: name one"
    return None


def mount_problem(root, mount):
    """The sentence about a mount on which an engine cannot keep its data, or None."""
    where = f"{root} is on {mount.point}, "
    if mount.kind in IN_MEMORY:
        return f"{where}a {mount.kind} that is empty after a reboot: {REMEDY}"
    if mount.kind in REMOTE:
        return f"{where}a {mount.kind} that holds no image layers: {REMEDY}"
    if mount.kind in WITHOUT_LAYERS:
        return f"{where}an {mount.kind} file system, which holds no image layers: {REMEDY}"
    if "ro" in mount.options:
        return f"{where}which is mounted read-only: mount it with rw, or {REMEDY}"
    if "noexec" in mount.options:
        return f"{where}which is mounted noexec, so no program in a volume starts: mount it with exec, or {REMEDY}"
    return None


def xfs_info(module, mount):
    """What xfs_info says of an xfs; nothing where there is another file system or no such program."""
    program = module.get_bin_path("xfs_info") if mount.kind == "xfs" else None
    return module.run_command([program, mount.point])[1] if program else ""


def format_problem(root, mount, info):
    """The sentence about an xfs that does not tell what kind of file an entry is, or None."""
    if not re.search(r"\bftype=0\b", info):
        return None
    return (
        f"{root} is on {mount.point}, an xfs with ftype=0, on which overlay2 does not work: make it anew with "
        "mkfs.xfs -n ftype=1 (its data are lost), or name a directory on another disk"
    )
