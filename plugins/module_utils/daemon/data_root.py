# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Data roots of the engine and of its containerd, and the data in them."""

import glob
import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json

DEFAULT = "/var/lib/docker"
CONTAINERD_DEFAULT = "/var/lib/containerd"
# Relative to a non-default data root; dockerd uses the same path for a containerd that it manages.
CONTAINERD_BELOW = "/containerd/daemon"

# Data that an unused engine does not have. With userns-remap, the root has one directory per mapping.
ENGINE_DATA = (
    ("images", "image/*/imagedb/content/sha256/*"),
    ("containers", "containers/*"),
    ("volumes", "volumes/*/_data"),
    ("a swarm", "swarm/docker-state.json"),
)
CONTAINERD_DATA = "io.containerd.content.v1.content/blobs/*/*"


def from_options(options):
    """The data root in the options of daemon.json; before 17.05 the option was called graph."""
    return as_path(options.get("data-root") or options.get("graph"), DEFAULT)


def as_path(value, default):
    """The value if it can be a path, else the default: options by hand may hold anything."""
    try:
        return value if value and b"\0" not in os.fsencode(value) else default
    except (TypeError, UnicodeError):
        return default


def from_daemon_json(text):
    """The data root in the text of a daemon.json; the default if the text is absent or invalid."""
    return from_options(daemon_json.parse(text))


def containerd_root(root):
    return CONTAINERD_DEFAULT if root == DEFAULT else root + CONTAINERD_BELOW


def is_same(one, other):
    """Return whether two paths lead to one place, by links or directly."""
    return os.path.realpath(one) == os.path.realpath(other)


def engine_contents(root):
    """List the kinds of user data in a data root: images, containers, volumes, a swarm, plugins."""
    found = [
        name
        for name, pattern in ENGINE_DATA
        if matches_any(root, pattern) or matches_any(root, os.path.join("[0-9]*.[0-9]*", pattern))
    ]
    return found + (["plugins"] if has_managed_plugins(root) else [])


def without_live_restore(options):
    """Return the options, and whether they lose live-restore, with which dockerd does not start on a swarm's node."""
    if not options or not options.get("live-restore") or "a swarm" not in engine_contents(from_options(options)):
        return options, False
    return {key: value for key, value in options.items() if key != "live-restore"}, True


def containerd_contents(root):
    return ["images"] if matches_any(root, CONTAINERD_DATA) else []


def matches_any(directory, pattern):
    return any(glob.iglob(os.path.join(glob.escape(directory), pattern)))


def has_managed_plugins(root):
    plugins = os.path.join(root, "plugins")
    return os.path.isdir(plugins) and bool(set(os.listdir(plugins)) - {"storage", "tmp"})


def move_problem(wanted, old, containerd_drop_in):
    """A message about data that a move from the old root to the wanted one would leave behind, or None."""
    # Without the drop-in, data-root in daemon.json has moved the engine alone.
    old_containerd = containerd_root(old) if os.path.exists(containerd_drop_in) else CONTAINERD_DEFAULT
    moves = [
        (before, after, contents(before))
        for before, after, contents in (
            (old, wanted, engine_contents),
            (old_containerd, containerd_root(wanted), containerd_contents),
        )
        if not is_same(before, after)
    ]
    holding = ["{} holds {}".format(before, listed(found)) for before, _, found in moves if found]
    if not holding:
        return None
    return (
        "{}, which a change of docker_engine_data_root from {} to {} would leave behind: undo the change, or set "
        "docker_engine_data_root_leave_data: true; to move the data, first stop the containers, docker and containerd, "
        "and copy ({})".format(
            " and ".join(holding),
            old,
            wanted,
            "; ".join(f"mkdir -p {after} && cp -a {before}/. {after}" for before, after, _ in moves),
        )
    )


def listed(words):
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
