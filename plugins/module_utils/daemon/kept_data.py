# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Data that a change of daemon.json would hide from the engine, and containers that it would leave without one."""

import collections
import glob
import json
import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import (
    daemon_json,
    data_root,
    engine_api,
    shims,
    versions,
)
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

OWNER = re.compile(r"[0-9]+\.[0-9]+\Z")  # the directory of a user namespace in the data root
DOCKERD = "/usr/bin/dockerd"
PID_FILE = "/run/docker.pid"
STORE = "containerd-snapshotter"
FIRST_WITH_STORE = (29, 0)  # the release that uses containerd's image store unless a storage driver has data
EXEC_ROOT = "/var/run/docker"
SUBORDINATE = ("/etc/subuid", "/etc/subgid")
GRAPH_DRIVERS = frozenset(("aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"))
RUNNING = "running containers"

# before and after: the option's values; kept: what would be lost, such as images; place: where it is.
Loss = collections.namedtuple("Loss", "option before after kept place")


def of_module(module, new, path):
    """Return what the new options would hide on this host, and the data root in force.

    While baking, engine and processes are those of the build host.
    """
    old = daemon_json.parse(read_text(path))
    if old == new:
        return [], data_root.from_options(old)
    live = not module.params["baking"]
    info = engine_info(module.params.get("socket", engine_api.SOCKET)) if live else {}
    # A stopped engine is taken for the one that is installed.
    told = info or {"ServerVersion": versions.installed(module, module.params.get("dockerd", DOCKERD))}
    return losses(old, new, told, shims.running(namespaces(old)) if live else []), place_now(old, info)[0]


def engine_info(socket):
    """Return what the running engine says about itself; {} without one, and for podman, which answers too.

    An engine that does not run is not asked: systemd would start it.
    """
    pid = (read_text(PID_FILE) or "").strip()
    info = engine_api.get_json(socket, "/info") if pid and os.path.exists("/proc/" + pid) else {}
    return {} if "BuildahVersion" in info else info


def namespaces(options):
    return shims.NAMESPACE, data_root.as_path(options.get("containerd-namespace"), shims.NAMESPACE)


def losses(old, new, info, running):
    """List a Loss for each option whose change hides data or leaves containers without their engine.

    old and new are options of daemon.json, running are PIDs of shims. info is that of the running engine; of a stopped
    one it has ServerVersion at most. A change of the data root itself is for data_root.move_problem.
    """
    (root, owner), (new_root, new_owner) = place_now(old, info), place(new)
    if root != new_root:
        return []
    home = os.path.join(root, owner)
    backend = Backend(root, owner)
    in_store = uses_store(old, info, backend)
    remap, new_remap = old.get("userns-remap"), new.get("userns-remap")
    if owner == new_owner or (owner and new_owner and remap == new_remap):
        found = [backend_loss(home, old, new, info, backend, in_store)]
    else:
        found = [Loss("userns-remap", remap or user_of(owner), new_remap, backend.contents(), home)]
    images = ["images"] if in_store and backend.store_images else []
    for option, default, kept in (("containerd-namespace", shims.NAMESPACE, images), ("exec-root", EXEC_ROOT, [])):
        before, after = (data_root.as_path(options.get(option), default) for options in (old, new))
        if not data_root.is_same(before, after):
            found.append(Loss(option, before, after, kept + ([RUNNING] if running else []), root))
    return [loss for loss in found if loss.kept]


def place(options):
    """Return the data root, and the directory of the user namespace below it as a pattern, empty without one."""
    remap = options.get("userns-remap")
    return os.path.realpath(data_root.from_options(options)), owner_of(str(remap)) if remap else ""


def place_now(options, info):
    """Return the place that the running engine uses, else that of the options."""
    if not info.get("DockerRootDir"):
        return place(options)
    root, separator, owner = info["DockerRootDir"].rpartition("/")
    return (root, owner) if separator and OWNER.match(owner) else (info["DockerRootDir"], "")


def owner_of(remap):
    """Return the name of the directory for a userns-remap: the first subordinate IDs; a pattern where unknown."""
    user, _, group = ("dockremap" if remap == "default" else remap).partition(":")
    return first_id(SUBORDINATE[0], user) + "." + first_id(SUBORDINATE[1], group or user)


def first_id(path, name):
    return next((first for user, first in subordinates(path) if user == name), "[0-9]*")


def user_of(owner):
    """Return the userns-remap that has this directory; None without one."""
    if not owner:
        return None
    name = next((user for user, first in subordinates(SUBORDINATE[0]) if first == owner.partition(".")[0]), owner)
    return "default" if name == "dockremap" else name


def subordinates(path):
    """Return the (user, first ID) in a file of subordinate IDs."""
    rows = [line.split(":") for line in (read_text(path) or "").splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) == 3]


class Backend:
    """What an engine has, by storage driver and in containerd's image store."""

    def __init__(self, root, owner):
        self.home = os.path.join(glob.escape(root), owner)
        self.containers = set(map(container_driver, self.find("containers/*"))) - {None}
        self.images = {path.split(os.sep)[-5] for path in self.find("image/*/imagedb/content/sha256/*")}
        self.drivers = self.images | (self.containers & GRAPH_DRIVERS)  # storage drivers in use
        # Other users of containerd may have images where no engine has run.
        self.store_images = bool(self.find("containers")) and any(
            map(data_root.containerd_contents, (data_root.CONTAINERD_DEFAULT, root + data_root.CONTAINERD_BELOW))
        )

    def find(self, pattern):
        return glob.glob(os.path.join(self.home, pattern))

    def contents(self):
        """List the kinds of user data."""
        found = [name for name, pattern in data_root.ENGINE_DATA if self.find(pattern)]
        return found + (["plugins"] if any(map(data_root.has_managed_plugins, self.find(""))) else [])

    def kept(self, in_store, driver=None):
        """List what containerd's image store holds, or a storage driver, or all storage drivers."""
        if driver:
            held = (driver in self.images, driver in self.containers)
        elif in_store:
            held = (bool(self.store_images), bool(self.containers - GRAPH_DRIVERS))
        else:
            held = (bool(self.images), bool(self.drivers & self.containers))
        return [name for number, name in enumerate(("images", "containers")) if held[number]]

    def default_driver(self):
        """Return the storage driver that dockerd prefers because it has data; it ignores those of vfs."""
        return next(iter(sorted(self.drivers - {"vfs"})), None)


def container_driver(directory):
    driver = daemon_json.parse(read_text(os.path.join(directory, "config.v2.json"))).get("Driver")
    return driver if isinstance(driver, str) else None


def feature(options):
    """Whether the options ask for containerd's image store; None if they leave it to dockerd."""
    features = options.get("features")
    return features.get(STORE) if isinstance(features, dict) else None


def uses_store(old, info, backend):
    """Whether the engine uses containerd's image store."""
    if info.get("DriverStatus"):
        return "io.containerd.snapshotter.v1" in json.dumps(info["DriverStatus"])
    if feature(old) is not None:
        return feature(old)
    return bool(backend.containers - GRAPH_DRIVERS) or (not backend.drivers and prefers_store(info, unknown=True))


def prefers_store(info, unknown):
    """Whether this release uses containerd's image store unless a storage driver has data; unknown if it is unknown."""
    version = info.get("ServerVersion")
    return versions.release(version) >= FIRST_WITH_STORE if version else unknown


def will_use_store(old, new, info, backend, in_store):
    """Whether the engine will use containerd's image store with the new options."""
    if feature(new) is not None:
        return feature(new)
    if str(new.get("storage-driver")) in GRAPH_DRIVERS and new.get("storage-driver") != old.get("storage-driver"):
        return False
    return in_store if feature(old) is None else prefers_store(info, unknown=False) and not backend.drivers


def backend_loss(home, old, new, info, backend, in_store):
    """Return a Loss by a change of the image store or the storage driver; without a change, it keeps nothing."""
    before, after = old.get("storage-driver"), new.get("storage-driver")
    will_be_in_store = will_use_store(old, new, info, backend, in_store)
    if in_store != will_be_in_store and feature(old) != feature(new):
        return Loss(f"features.{STORE}", in_store, feature(new), backend.kept(in_store), home)
    default = "overlayfs" if in_store else backend.default_driver()
    used = info.get("Driver") or str(before or default or "")
    if in_store != will_be_in_store:
        return Loss("storage-driver", before or used, after, backend.kept(in_store), home)
    will = (after or default) if after or before else used
    kept = [] if used in ("", will) else backend.kept(in_store, used)
    return Loss("storage-driver", before or used, after, kept, home)


def problem(loss):
    """Return the message about a loss, with both ways out."""
    undo = "remove it from" if loss.before is None else f"set {setting(loss)} in"
    if loss.option == "userns-remap" and loss.before is None:
        undo = "set userns-remap: null in"  # which docker_engine_profile may have set
    also = " and leave docker_engine_image_store empty" if STORE in loss.option else ""
    return (
        f"{loss.place} has {data_root.listed(loss.kept)}, which the engine would no longer find after a change of "
        f"{loss.option} from {shown(loss.before)} to {shown(loss.after)}: {undo} docker_engine_daemon_options{also} "
        "to keep them, or set docker_engine_data_root_leave_data: true to stop the containers and leave the data where "
        "they are"
    )


def setting(loss):
    text = f"{loss.option.split('.')[-1]}: {shown(loss.before)}"
    return f"features: {{{text}}}" if STORE in text else text


def shown(value):
    return "unset" if value is None else json.dumps(value).strip('"')
