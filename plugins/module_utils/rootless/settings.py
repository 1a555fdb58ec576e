# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The settings of engines of users: their defaults, and checks that need no host."""

import difflib

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.daemon import options as daemon_options

AUTO, SLIRP4NETNS, PASTA, GVISOR = "auto", "slirp4netns", "pasta", "gvisor-tap-vsock"
NETWORKS = (AUTO, SLIRP4NETNS, PASTA, GVISOR)
STATES = ("present", "absent")
# Images have users up to 65535, so an engine needs that many.
FEWEST_SUBIDS = 65536
LAST_ID = 2**32 - 2  # the kernel keeps the last number for "no user"
DEFAULTS: "dict[str, object]" = {
    "state": "present",
    "daemon_options": {},
    "network": AUTO,
    "subid_start": None,
    "subid_count": FEWEST_SUBIDS,
    "context": True,
    "purge_data": False,
}
LOGGING = {"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}
# Options of daemon.json that an engine without root cannot have, and why.
IMPOSSIBLE = {
    "authorization-plugins": "plugins of the system are out of reach of an engine without root",
    "bridge": "the engine has a network namespace of its own, without the host's bridges",
    "containerd": "the system's containerd is out of reach, and the engine runs its own",
    "cpu-rt-period": "only root may assign real-time CPU time",
    "cpu-rt-runtime": "only root may assign real-time CPU time",
    "exec-root": "the engine has it below /run/user",
    "graph": "use data-root",
    "group": "the socket is the user's alone",
    "hosts": "the engine listens at the user's socket, and a port would be in its own network namespace",
    "oom-score-adjust": "only root may lower it",
    "pidfile": "the engine has it below /run/user",
    "userns-remap": "the engine is in a user namespace already, whose root is the user",
}
STORAGE_DRIVERS = ("btrfs", "fuse-overlayfs", "overlay2", "vfs")


class RootlessError(Exception):
    """An engine of a user cannot be set up; str() is the message for the user, without a period."""


def entries(users):
    """Return a dict with every setting for each user, who is a name or a dict; other values are left as they are."""
    found = []
    for user in users:
        if isinstance(user, str):
            user = {"name": user}
        found.append({**DEFAULTS, **user} if isinstance(user, dict) else user)
    return found


def options_of(entry, common):
    """Return the options of the user's daemon.json: bounded logs, those for all users, and their own."""
    own = {**common, **(entry["daemon_options"] or {})}
    return daemon_json.normalise(own if "log-driver" in own else {**LOGGING, **own})


def problems(settings):
    """Return a sentence for each mistake; settings are the role's variables without their prefix."""
    users, common = settings["users"], settings["daemon_options"]
    if not isinstance(users, list):
        return ["docker_rootless_users is not a list: write one, such as [alice]."]
    if not isinstance(common, dict):
        return ["docker_rootless_daemon_options is not a mapping: write one, such as {}."]
    found = [*port_problems(settings["port_start"])]
    listed = entries(users)
    for number, entry in enumerate(listed, 1):
        found += entry_problems(entry, f"entry {number} of docker_rootless_users", common)
    if not found:
        found += repeated(listed) + colliding(listed)
    return [sentence if sentence.endswith((".", "?")) else sentence + "." for sentence in dict.fromkeys(found)]


def port_problems(port):
    if port is None or (is_number(port) and 0 <= port <= 65535):
        return []
    return [f"docker_rootless_port_start is {port}, not a port: use the lowest that users may publish, such as 80"]


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def entry_problems(entry, place, common):
    """Return the phrases about one entry; place names it."""
    if not isinstance(entry, dict):
        return [f"{place} is neither a name nor a mapping (quote names that YAML takes for something else)"]
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        return [f"{place} has no name, or one that is not a text: set name, in quotation marks"]
    place = f"docker_rootless_users: {name}"
    found = [unknown_key(key, place) for key in entry if key not in DEFAULTS and key != "name"]
    if found:
        return found
    if name == "root":
        return [f"{place} has the system's engine (docker_engine): list users who should not be root"]
    wrong = wrong_types(entry, place)
    return wrong or [
        *state_problems(entry, place),
        *subid_problems(entry, place),
        *[f"{place}: {phrase}" for phrase in option_problems(options_of(entry, common))],
    ]


def unknown_key(key, place):
    near = difflib.get_close_matches(str(key), ["name", *DEFAULTS], n=1)
    hint = f"did you mean {near[0]}?" if near else f"use {', '.join(['name', *DEFAULTS])}"
    return f"{place} has the unknown key {key}: {hint}"


def wrong_types(entry, place):
    found = []
    for key in ("context", "purge_data"):
        if not isinstance(entry[key], bool):
            found.append(f"{place}: {key} is neither true nor false")
    for key, choices in (("state", STATES), ("network", NETWORKS)):
        if entry[key] not in choices:
            found.append(f"{place}: {key} is {entry[key]}: use one of {', '.join(choices)}")
    if not isinstance(entry["daemon_options"], dict):
        found.append(f"{place}: daemon_options is not a mapping: write one, such as {{}}")
    if not is_number(entry["subid_count"]) or not (entry["subid_start"] is None or is_number(entry["subid_start"])):
        found.append(f"{place}: subid_start and subid_count are whole numbers: write them without quotation marks")
    return found


def state_problems(entry, place):
    if entry["purge_data"] and entry["state"] == "present":
        return [f"{place}: purge_data deletes images, containers and volumes, and goes with state: absent only"]
    return []


def subid_problems(entry, place):
    start, count = entry["subid_start"], entry["subid_count"]
    if count < FEWEST_SUBIDS:
        return [f"{place}: subid_count is {count}, and images have users up to 65535: use {FEWEST_SUBIDS} or more"]
    if start is not None and not FEWEST_SUBIDS <= start <= LAST_ID + 1 - count:
        return [
            f"{place}: {count} numbers from {start} on reach into those of real users or beyond the last one: choose "
            f"a subid_start between {FEWEST_SUBIDS} and {LAST_ID + 1 - count}, such as 100000"
        ]
    return []


def option_problems(options):
    """Return the phrases about options that no engine has, or that one without root cannot have."""
    found = [f"{name} cannot be set without root: {why}" for name, why in IMPOSSIBLE.items() if name in options]
    if options.get("live-restore"):
        found.append(
            "live-restore cannot work without root: containers live in namespaces that end with the engine; remove it"
        )
    driver = options.get("storage-driver")
    if driver is not None and driver not in STORAGE_DRIVERS:
        found.append(f"storage-driver {driver} needs root: use one of {', '.join(STORAGE_DRIVERS)}, or leave it out")
    exec_opts = options.get("exec-opts")
    if isinstance(exec_opts, list) and "native.cgroupdriver=cgroupfs" in exec_opts:
        found.append("native.cgroupdriver=cgroupfs needs root: remove it, so that limits go through the user's systemd")
    root = options.get("data-root")
    if root is not None and not str(root).startswith("/"):
        found.append(f"data-root {root} is not an absolute path: write one below the user's home")
    # What else is wrong with an option that is impossible does not matter.
    others = {key: value for key, value in options.items() if key not in IMPOSSIBLE and key != "data-root"}
    return found + [message[len(daemon_options.PREFIX) :] for message in daemon_options.problems(others)]


def repeated(listed):
    names = [entry["name"] for entry in listed]
    return [
        f"docker_rootless_users lists {name} more than once: keep one entry" for name in names if names.count(name) > 1
    ]


def colliding(listed):
    """Return the phrases about ranges of two users that share numbers."""
    fixed = [entry for entry in listed if entry["subid_start"] is not None and entry["state"] == "present"]
    fixed.sort(key=lambda entry: entry["subid_start"])
    return [
        "docker_rootless_users: the subid ranges of {} and {} overlap: let that of {} start at {} or later".format(
            low["name"], high["name"], high["name"], low["subid_start"] + low["subid_count"]
        )
        for low, high in zip(fixed, fixed[1:])  # noqa: B905, RUF007  (Python 3.6 has neither)
        if high["subid_start"] < low["subid_start"] + low["subid_count"]
    ]
