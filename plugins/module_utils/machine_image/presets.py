# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Predict what the first boot does to a unit: systemd then applies the presets to all units."""

import fnmatch
import os

# The units of a container host; only installed ones count.
UNITS = [
    "docker.service",
    "docker.socket",
    "containerd.service",
    "docker-auth-check.service",
    "docker-firstboot.service",
    "docker-prune.timer",
    "slipway-docker-firewall.service",
    "slipway-metrics.timer",
]
# A file overrides one of the same name in an earlier directory.
FOLDERS = [where + "/systemd/system-preset" for where in ("usr/lib", "usr/local/lib", "run", "etc")]


def is_enabled(tree, unit):
    links = ["etc/systemd/system/*.{}/{}".format(kind, unit) for kind in ("wants", "requires")]
    return any(True for pattern in links for _ in tree.glob(pattern))


def disabling(tree, unit):
    """Return the preset file that disables the unit, or None; the first line that matches decides."""
    for path in files(tree):
        for action, pattern in rules(tree, path):
            if fnmatch.fnmatchcase(unit, pattern):
                return path if action == "disable" else None
    return None  # systemd enables it by default


def files(tree):
    """Return the effective preset files, sorted by name."""
    by_name = {os.path.basename(path): path for folder in FOLDERS for path in tree.glob(folder + "/*.preset")}
    return [by_name[name] for name in sorted(by_name)]


def rules(tree, path):
    """Yield the lines of a file as (action, pattern of names); nothing for a link to /dev/null."""
    target = tree.resolve(tree.inside(path))
    if os.path.isfile(target):
        for line in (tree.read(target) or b"").decode("utf-8", "surrogateescape").split("\n"):
            words = line.split()
            if len(words) > 1 and words[0] in ("enable", "disable", "ignore"):
                yield words[0], words[1]
