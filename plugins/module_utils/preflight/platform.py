# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds the tree of Docker's repository that serves a host, or why none does."""

import collections
import os
import platform

from ansible_collections.slipway.platform.plugins.module_utils.host import os_release
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

Host = collections.namedtuple("Host", ["id", "name", "version", "architecture", "init"])


def read(root="/"):
    """Return the host below a root: its distribution, kernel architecture and init system."""
    release = os_release.read(root)
    running = os.path.isdir(os.path.join(root, "run/systemd/system"))
    return Host(
        id=release.get("ID", ""),
        name=release.get("NAME", "a system without os-release"),
        version=release.get("VERSION_ID", ""),
        architecture=platform.machine(),
        init="systemd" if running else (read_text(os.path.join(root, "proc/1/comm")) or "no init system").strip(),
    )


def problem(host, platforms, trees, baking, own=False):
    """Return the sentence on a host that the support matrix does not list, or None.

    platforms are those of the support matrix, by ID of os-release; trees, the architectures of each tree of Docker's
    repository, which do not matter where the packages come from a repository of one's own. An image that is being made
    has no init system yet.
    """
    entry = platforms.get(host.id, {"releases": []})
    runs = baking or host.init == "systemd"
    listed = [name for names in trees.values() for name in names]
    if (
        (major(host) not in entry["releases"] and not is_newer(host, entry))
        or host.architecture not in listed
        or not runs
    ):
        supported = ", ".join("{} {}".format(one["name"], "/".join(one["releases"])) for one in platforms.values())
        return "{} on {} with {} is not supported: docker_engine supports {}, on {}, with systemd".format(
            name_of(host), host.architecture, host.init, supported, ", ".join(sorted(set(listed)))
        )
    chosen = tree_of(host, entry)
    if own or host.architecture in trees[chosen]:
        return None
    return (
        "Docker's repository has no packages for {} on {}: its tree {} is for {}. Set docker_engine_repo_baseurl to a "
        "repository that has them".format(name_of(host), host.architecture, chosen, ", ".join(trees[chosen]))
    )


def is_newer(host, entry):
    """Return whether the release came after those of the matrix, where Docker's repository follows each release."""
    return bool(entry.get("as_of")) and major(host).isdigit() and int(major(host)) > max(map(int, entry["releases"]))


def warning(host, entry, baseurl):
    """Return a sentence on a release that is tried though the matrix does not list it, or None."""
    if not is_newer(host, entry):
        return None
    return (
        "{} is newer than {}, the newest release that Docker built for on {}: {} is tried, and is not there if Docker "
        "does not build for this release yet".format(
            name_of(host), max(entry["releases"], key=int), entry["as_of"], baseurl
        )
    )


def name_of(host):
    return f"{host.name} {host.version}".strip()


def tree_of(host, entry):
    """Return the name of the tree that serves a release."""
    return entry.get("trees", {}).get(major(host), entry["tree"])


def tree(host, entry, root):
    """Return the address of the tree that has the key and all releases of the host's distribution."""
    return "{}/{}".format(root, tree_of(host, entry))


def baseurl(host, entry, root):
    """Return the address of the repository that serves the host."""
    release = entry.get("tree_release", major(host))
    return "/".join([tree(host, entry, root), release, host.architecture, "stable"])


def has_modules(host):
    """Tell whether the distribution's own module of packages, container-tools, would hide those of the repository."""
    return major(host) == "8"


def major(host):
    return host.version.partition(".")[0]
