# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Shims of Docker's containers: one runs as long as its container, with or without the engine."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

SHIM = "containerd-shim"
NAMESPACE = "moby"  # that of dockerd's containers, to tell them from other users of containerd


def running(namespaces=(NAMESPACE,), proc="/proc"):
    """Return the PIDs of the shims of Docker's containers, as strings."""
    pids = sorted((name for name in os.listdir(proc) if name.isdigit()), key=int)
    return [pid for pid in pids if is_shim(os.path.join(proc, pid), namespaces)]


def is_shim(process, namespaces):
    """Whether the process is a shim that root runs; users can give their processes any name."""
    try:
        words = (read_text(os.path.join(process, "cmdline")) or "").split("\0") if is_owned_by_root(process) else [""]
    except ProcessLookupError:  # it exited between open and read
        return False
    # With userns-remap, dockerd appends the owner: moby-100000.100000.
    return os.path.basename(words[0]).startswith(SHIM) and any(
        word == name or word.startswith(name + "-") for word in words for name in namespaces
    )


def is_owned_by_root(process):
    try:
        return os.stat(process).st_uid == 0
    except FileNotFoundError:
        return False
