# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows where the engine and its containerd keep their data, and what is kept there."""

import glob
import os

from ansible_collections.slipway.platform.plugins.module_utils import daemon_options
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

DEFAULT = "/var/lib/docker"
CONTAINERD_DEFAULT = "/var/lib/containerd"
# Below a data root elsewhere, where dockerd itself puts the root of a containerd that it manages.
CONTAINERD_BELOW = "/containerd/daemon"

# What an engine that was only started does not have. Under userns-remap the root has one directory for each mapping.
ENGINE_DATA = (
    ("images", "image/*/imagedb/content/sha256/*"),
    ("containers", "containers/*"),
    ("volumes", "volumes/*/_data"),
    ("a swarm", "swarm/docker-state.json"),
)
CONTAINERD_DATA = "io.containerd.content.v1.content/blobs/*/*"


def of(options):
    """The data root that options of daemon.json name; graph is its name before 17.05."""
    return options.get("data-root") or options.get("graph") or DEFAULT


def in_force(text):
    """The data root that the text of a daemon.json names; a text that dockerd cannot read names none."""
    return of(daemon_options.parse(text))


def containerd_root(root):
    return CONTAINERD_DEFAULT if root == DEFAULT else root + CONTAINERD_BELOW


def kept_by_engine(root):
    """What a data root holds that somebody may miss, in words."""
    found = [
        name
        for name, pattern in ENGINE_DATA
        if is_any(root, pattern) or is_any(root, os.path.join("[0-9]*.[0-9]*", pattern))
    ]
    return found + (["plugins"] if has_managed_plugins(root) else [])


def kept_by_containerd(root):
    return ["images"] if is_any(root, CONTAINERD_DATA) else []


def is_any(directory, pattern):
    return any(glob.iglob(os.path.join(glob.escape(directory), pattern)))


def has_managed_plugins(root):
    plugins = os.path.join(root, "plugins")
    return os.path.isdir(plugins) and bool(set(os.listdir(plugins)) - {"storage", "tmp"})


def move_problem(wanted, daemon_json, containerd_drop_in):
    """The sentence about data that a move to the wanted root would leave behind, or None."""
    old = in_force(read_text(daemon_json))
    # Whoever wrote data-root alone into daemon.json has left containerd where it was.
    old_containerd = containerd_root(old) if os.path.exists(containerd_drop_in) else CONTAINERD_DEFAULT
    moves = [
        (before, after, kept(before))
        for before, after, kept in (
            (old, wanted, kept_by_engine),
            (old_containerd, containerd_root(wanted), kept_by_containerd),
        )
        if before != after
    ]
    holding = ["{} holds {}".format(before, listed(found)) for before, _, found in moves if found]
    if not holding:
        return None
    return (
        "{}, which a move of docker_engine_data_root from {} to {} would leave behind: take the change back, or set "
        "docker_engine_data_root_leave_data: true; to take the data along, stop the containers, docker and containerd "
        "before that, and copy ({})".format(
            " and ".join(holding),
            old,
            wanted,
            "; ".join(f"mkdir -p {after} && cp -a {before}/. {after}" for before, after, _ in moves),
        )
    )


def listed(words):
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
