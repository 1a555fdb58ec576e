# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Checks of a directory's suitability as the engine's data root, before any change."""

import os
import re
import stat

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, data_root, kept_data
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts
from ansible_collections.slipway.platform.plugins.module_utils.host.files import nearest_existing_parent
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import ownership

# The default of docker_daemon.
CONTAINERD_DROP_IN = "/etc/systemd/system/containerd.service.d/slipway.conf"
PREFIX = "docker_engine_data_root: "
# dockerd sets its data root to mode 0710, which would break the system for these directories.
SYSTEM_DIRECTORIES = frozenset(
    """
    / /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/local /var
    /var/cache /var/lib /var/lib/containerd /var/log /var/run /var/spool /var/tmp
    """.split()  # noqa: SIM905  (a list of thirty lines otherwise)
)
UNSUITABLE = ("/boot/", "/dev/", "/etc/", "/proc/", "/run/", "/sys/", "/tmp/", "/usr/", "/var/run/", "/var/tmp/")
IN_MEMORY = frozenset(("devtmpfs", "ramfs", "tmpfs"))
REMOTE = frozenset(("9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"))
NO_LAYERS = frozenset(
    ("aufs", "ecryptfs", "exfat", "fuseblk", "iso9660", "msdos", "ntfs", "ntfs3", "overlay", "squashfs", "vfat")
)
REMEDY = "use a directory on a local disk with ext4 or xfs"


def problems(module, root, options, leave_data, path=daemon_json.PATH, containerd_drop_in=CONTAINERD_DROP_IN):
    """Return a list of messages about why the data root cannot be used on this host with these options.

    path is that of daemon.json.
    """
    found = path_problem(root)
    if found:
        return [PREFIX + found]
    parent = os.path.realpath(nearest_existing_parent(root))
    mount = mounts.holding(parent, mounts.current())
    # The default root may be in use already, or be part of an image that is built on any file system.
    if mount:
        found = None if root == data_root.DEFAULT else mount_problem(root, mount)
        found = found or format_problem(root, mount, xfs_info(module, mount))
    unusable = [PREFIX + problem for problem in (found, sharing_problem(root)) if problem]
    return unusable + ([] if leave_data else losses(module, root, options, path, containerd_drop_in))


def losses(module, root, options, path, containerd_drop_in):
    """Return a list of messages about data that the engine would no longer find."""
    wanted = options if root == data_root.DEFAULT else dict(options, **{"data-root": root})
    found, old = kept_data.of_module(module, wanted, path)
    moved = data_root.move_problem(root, old, containerd_drop_in)
    return ([moved] if moved else []) + [kept_data.problem(loss) for loss in found]


def path_problem(root):
    """A message about an invalid path, or None."""
    if not os.path.isabs(root):
        return f"{root} is not an absolute path: start it with /, such as /data/docker"
    if not re.match(r"\A[\w/.@+-]+\Z", root, re.ASCII):
        return f"{root!r} contains a character that needs quoting in units and scripts: use letters, digits and ._@+-"
    if os.path.normpath(root) != root:
        return f"{root} is not normalized: use {os.path.normpath(root)}"
    if root in SYSTEM_DIRECTORIES:
        return f"{root} is a system directory, which dockerd would close to all users: use a directory of its own"
    if root.startswith(UNSUITABLE):
        return f"{root} is not suitable for data that must survive reboots and updates: {REMEDY}"
    dangling = dangling_link(root) or dangling_link(data_root.containerd_root(root))
    if dangling:
        return (
            f"{dangling} is a symbolic link to {os.readlink(dangling)}, which does not exist: mount the disk or make "
            "the directory that it names, or remove the link"
        )
    existing = nearest_existing_parent(root)
    if not os.path.isdir(existing):
        return f"{existing} is not a directory: use one"
    return None


def sharing_problem(root):
    """A message about a path that users other than root can replace, or None."""
    existing = nearest_existing_parent(root)
    shared = shared_folder(existing) or shared_folder(os.path.realpath(existing))
    if shared:
        return (
            f"users other than root can write to {shared}, and could replace the engine's data with their own: "
            f"run chown root: {shared} && chmod go-w {shared}, or {REMEDY}"
        )
    return None


def dangling_link(path):
    """The first symbolic link on the path whose target does not exist, where no directory can be made; or None."""
    names = path.split("/")
    paths = ["/".join(names[:last]) for last in range(2, len(names) + 1)]
    return next((path for path in paths if os.path.islink(path) and not os.path.exists(path)), None)


def shared_folder(path):
    """The first directory on the path, itself included, in which other users could replace the next one; or None."""
    names = path.split("/")
    for last in range(1, len(names) + 1):
        folder = "/".join(names[:last]) or "/"
        found = os.stat(folder)
        # The sticky bit protects existing entries of root; a missing last one could be created by anyone.
        is_protected = found.st_mode & stat.S_ISVTX and found.st_uid == 0 and last < len(names)
        if ownership.is_open_to_others(found) and not is_protected:
            return folder
    return None


def mount_problem(root, mount):
    """A message about a mount that cannot hold an engine's data, or None."""
    where = f"{root} is on {mount.point}, "
    if mount.kind in IN_MEMORY:
        return f"{where}a {mount.kind} that is empty after a reboot: {REMEDY}"
    if mount.kind in REMOTE:
        return f"{where}a {mount.kind} file system, which does not support image layers: {REMEDY}"
    if mount.kind in NO_LAYERS:
        return f"{where}a file system of type {mount.kind}, which does not support image layers: {REMEDY}"
    if "ro" in mount.options:
        return f"{where}which is mounted read-only: mount it with rw, or {REMEDY}"
    if "noexec" in mount.options:
        return f"{where}which is mounted noexec, so programs in volumes cannot run: mount it with exec, or {REMEDY}"
    return None


def xfs_info(module, mount):
    """The output of xfs_info; empty for another file system, or if the program is missing."""
    program = module.get_bin_path("xfs_info") if mount.kind == "xfs" else None
    return module.run_command([program, mount.point])[1] if program else ""


def format_problem(root, mount, info):
    """A message about an xfs without file types in directory entries, or None."""
    if not re.search(r"\bftype=0\b", info):
        return None
    return (
        f"{root} is on {mount.point}, an xfs with ftype=0, which overlay2 does not support: recreate it with "
        "mkfs.xfs -n ftype=1 (this deletes its data), or use a directory on another disk"
    )
