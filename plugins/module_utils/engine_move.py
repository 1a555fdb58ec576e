# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells whether the engine and containerd still keep their data elsewhere than their files say."""

import os

from ansible_collections.slipway.platform.plugins.module_utils import data_root, rollback
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text


def is_due(docker):
    """Whether the coming start is one with another root, which no container may outlive."""
    path = docker.module.params["path"]
    replaced = (rollback.load() or {"files": {}})["files"]
    moved = path in replaced and root_in(replaced[path]) != data_root.in_force(read_text(path))
    return moved or containerd_is_elsewhere(docker)


def root_in(snapshot):
    return data_root.in_force(snapshot and snapshot["text"])


def containerd_is_elsewhere(docker):
    """Whether the containerd that runs has another root than daemon.json implies."""
    words = command_line(docker.containerd_pid())
    if not words:
        return False
    root = data_root.in_force(read_text(docker.module.params["path"]))
    wanted = None if root == data_root.DEFAULT else data_root.containerd_root(root)
    return differs(root_flag(words), wanted)


def differs(running, wanted):
    """Whether the two values of --root differ; one of somebody else's choice stays."""
    ours = running is not None and running.endswith(data_root.CONTAINERD_BELOW)
    return running != wanted and bool(wanted or ours)


def command_line(pid):
    return (read_text(os.path.join("/proc", str(pid), "cmdline")) or "").split("\0")[:-1] if pid else []


def root_flag(words):
    """The value of --root, or None."""
    for position, word in enumerate(words):
        if word == "--root":
            return "".join(words[position + 1 : position + 2])
        if word.startswith("--root="):
            return word.partition("=")[2]
    return None
