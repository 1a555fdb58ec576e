# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Removal of an engine's data: images, containers, volumes; anything else is rejected."""

import os
import re

# What dockerd and containerd create in their roots, with any storage driver.
ENTRIES = frozenset(
    """
    aufs btrfs builder buildkit containerd containers devicemapper engine-id fuse-overlayfs image lost+found network
    nuke-graph-directory.sh overlay overlay2 plugins rootfs runtimes swarm tmp tmpmounts trust vfs volumes zfs
    """.split()  # noqa: SIM905  (a list of thirty lines otherwise)
)
# containerd's, one directory for each user namespace, and what a trial start left that was killed.
OTHER_ENTRIES = re.compile(r"io\.containerd\.|[0-9]+\.[0-9]+\Z|\.slipway-trial-")


class PurgeError(Exception):
    """The data cannot be removed; the message is for the user."""


def existing(roots):
    """The roots that exist; mount points and symbolic links only if they are not empty."""
    return [root for root in roots if os.path.isdir(root) and (os.listdir(root) or not is_kept(root))]


def is_kept(root):
    """Whether only the content of a root is removed: a disk is mounted there, or it is a link to one."""
    return os.path.ismount(root) or os.path.islink(root)


def refuse_foreign(root):
    """Raise PurgeError if the root contains files that no engine creates: the path may be a mistake."""
    foreign = sorted(name for name in os.listdir(root) if name not in ENTRIES and not OTHER_ENTRIES.match(name))
    if foreign:
        raise PurgeError(
            "{} contains {}, which no engine creates: move it away, or correct docker_engine_data_root".format(
                root, ", ".join(foreign[:5])
            )
        )


def refuse_mounted(root, mounts):
    """Raise PurgeError if anything is mounted below the root: a running container's layers, or another disk."""
    below = [mount.point for mount in mounts if mount.point.startswith(os.path.realpath(root).rstrip("/") + "/")]
    if below:
        raise PurgeError(f"{below[0]} is still mounted: unmount it, or reboot the host, and run again")


def remove_command(root):
    """The command that removes the root, or only its content if it is a mount point or a symbolic link."""
    paths = [os.path.join(root, name) for name in os.listdir(root)] if is_kept(root) else [root]
    return ["rm", "-rf", "--one-file-system", "--", *paths]
