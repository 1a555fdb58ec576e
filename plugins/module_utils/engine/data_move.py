# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Detection of a pending move: the running engine or containerd uses another data root than configured."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, data_root, kept_data, shims
from ansible_collections.slipway.platform.plugins.module_utils.host import rollback
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text


def is_pending(docker):
    """Whether the next start changes the data root or hides data, before which all containers must stop."""
    path = docker.module.params["path"]
    replaced = rollback.replaced()
    new = daemon_json.parse(read_text(path))
    if path in replaced:
        old = daemon_json.parse(replaced[path] and replaced[path]["text"])
        if not data_root.is_same(data_root.from_options(old), data_root.from_options(new)):
            return True
        info = kept_data.engine_info(docker.api)
        if old != new and kept_data.losses(old, new, info, shims.running(kept_data.namespaces(old))):
            return True
    return containerd_root_differs(docker)


def containerd_root_differs(docker):
    """Whether the running containerd has another root than daemon.json implies."""
    words = command_line(docker.containerd_pid())
    if not words:
        return False
    root = data_root.from_daemon_json(read_text(docker.module.params["path"]))
    wanted = None if root == data_root.DEFAULT else data_root.containerd_root(root)
    return differs(root_flag(words), wanted)


def differs(running, wanted):
    """Whether two values of --root lead to other places; None is the default. A root that others configured is kept."""
    ours = running is not None and running.endswith(data_root.CONTAINERD_BELOW)
    moves = not data_root.is_same(running or data_root.CONTAINERD_DEFAULT, wanted or data_root.CONTAINERD_DEFAULT)
    return moves and bool(wanted or ours)


def command_line(pid):
    return (read_text(os.path.join("/proc", str(pid), "cmdline")) or "").split("\0")[:-1] if pid else []


def root_flag(words):
    """The value of --root in a command line, or None."""
    for position, word in enumerate(words):
        if word == "--root":
            return "".join(words[position + 1 : position + 2])
        if word.startswith("--root="):
            return word.partition("=")[2]
    return None
