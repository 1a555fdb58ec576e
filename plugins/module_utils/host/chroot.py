# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Detect a chroot.

Replaces ansible.module_utils.facts.system.chroot, which pulls 75 files into every module that imports it.
"""

import os

ROOT_INODES = {2, 128, 256}  # of the root directory of an ext, XFS or Btrfs file system


def is_chroot():
    """Return whether the root of this process differs from that of PID 1; without /proc, judge by its inode."""
    root = os.stat("/")
    try:
        first = os.stat("/proc/1/root/.")
    except OSError:  # /proc is not mounted, or not readable
        return root.st_ino not in ROOT_INODES
    return (root.st_ino, root.st_dev) != (first.st_ino, first.st_dev)


def is_baking(said):
    """Return whether an image is being built: as the user says, or else (None) whether this is a chroot."""
    return is_chroot() if said is None else said
