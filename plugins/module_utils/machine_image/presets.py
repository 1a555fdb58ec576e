# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells what a first boot makes of a unit: systemd enables or disables every unit then, as its preset says."""

import fnmatch
import os

# What makes an image a container host, as far as it is installed.
UNITS = [
    "docker.service",
    "docker.socket",
    "containerd.service",
    "docker-auth-check.service",
    "docker-firstboot.service",
    "docker-prune.timer",
    "slipway-metrics.timer",
]
# A file takes the place of one of the same name in a folder before.
FOLDERS = [where + "/systemd/system-preset" for where in ("usr/lib", "usr/local/lib", "run", "etc")]


def is_enabled(tree, unit):
    links = ["etc/systemd/system/*.{}/{}".format(kind, unit) for kind in ("wants", "requires")]
    return any(True for pattern in links for _ in tree.of_the_system(pattern))


def disabling(tree, unit):
    """The file by which a first boot disables the unit, or None: the first line that names it decides."""
    for path in files(tree):
        for action, pattern in rules(tree, path):
            if fnmatch.fnmatchcase(unit, pattern):
                return path if action == "disable" else None
    return None  # and systemd enables it


def files(tree):
    """The files that count, in the order of their names."""
    by_name = {os.path.basename(path): path for folder in FOLDERS for path in tree.of_the_system(folder + "/*.preset")}
    return [by_name[name] for name in sorted(by_name)]


def rules(tree, path):
    """The lines of a file as (action, pattern of names); none of one that is a link to /dev/null."""
    target = tree.resolve(tree.inside(path))
    if os.path.isfile(target):
        with open(target, encoding="utf-8", errors="surrogateescape") as stream:
            for line in stream:
                words = line.split()
                if len(words) > 1 and words[0] in ("enable", "disable", "ignore"):
                    yield words[0], words[1]
