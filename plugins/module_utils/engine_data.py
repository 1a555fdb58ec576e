# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Removes an engine's data: images, containers, volumes. Refuses to touch what does not look like them."""

import os

# What dockerd and containerd make in their roots, all storage drivers included.
ENTRIES = frozenset(
    """
    aufs btrfs builder buildkit containerd containers devicemapper engine-id fuse-overlayfs image lost+found network
    nuke-graph-directory.sh overlay overlay2 plugins rootfs runtimes swarm tmp tmpmounts trust vfs volumes zfs
    """.split()  # noqa: SIM905  (a list of thirty lines otherwise)
)
CONTAINERD_PREFIX = "io.containerd."


class DataError(Exception):
    """The data cannot be removed; the text is the sentence for the user."""


def existing(roots):
    """The roots that hold anything."""
    return [root for root in roots if os.path.isdir(root) and (os.listdir(root) or not os.path.ismount(root))]


def refuse_foreign(root):
    """Fail when the root holds something that no engine makes: the path may be a mistake."""
    foreign = sorted(
        name for name in os.listdir(root) if name not in ENTRIES and not name.startswith(CONTAINERD_PREFIX)
    )
    if foreign:
        raise DataError(
            "{} holds {}, which no engine made: move it away, or correct docker_engine_data_root".format(
                root, ", ".join(foreign[:5])
            )
        )


def refuse_mounted(root, mounts):
    """Fail when something is mounted below the root: a container that still runs, or somebody's disk."""
    below = [mount.point for mount in mounts if mount.point.startswith(root.rstrip("/") + "/")]
    if below:
        raise DataError(f"{below[0]} is still mounted: stop what uses it, or reboot the host, and run again")


def remove_command(root):
    """The command that removes the root, or its content where it is a mount point."""
    paths = [os.path.join(root, name) for name in os.listdir(root)] if os.path.ismount(root) else [root]
    return ["rm", "-rf", "--one-file-system", "--", *paths]
