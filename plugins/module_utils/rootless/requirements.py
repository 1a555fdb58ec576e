# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What a host must have before users can run engines: programs, namespaces, control groups, a network driver."""

import os
import re
import shutil
import stat
import subprocess

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import (
    AUTO,
    GVISOR,
    PASTA,
    SLIRP4NETNS,
    RootlessError,
)

PATH = "/usr/bin:/usr/sbin:/bin:/sbin"
DOCKERD = "/usr/bin/dockerd"
LAUNCHER = "/usr/bin/dockerd-rootless.sh"
EXTRAS = "docker-ce-rootless-extras"
# Programs and files that a user's engine needs, and their packages in EL and Fedora.
NEEDED = (
    (LAUNCHER, EXTRAS),
    ("/usr/bin/newuidmap", "shadow-utils"),
    ("/usr/bin/newgidmap", "shadow-utils"),
    ("/usr/lib/systemd/user/dbus.socket", "dbus"),
)
NETWORK_PACKAGES = {SLIRP4NETNS: "slirp4netns", PASTA: "passt"}
# Kernels before mount overlays for root alone; EL 8's does so for users too, but its number does not say so.
OVERLAY_FOR_USERS = (5, 11)
CGROUPS = "/sys/fs/cgroup"
CONTROLLERS = ("cpu", "memory", "pids")
# The variables by which dockerd-rootless.sh is told. slirp4netns is what it takes by itself.
NETWORK_VARIABLES = {
    SLIRP4NETNS: {},
    PASTA: {"DOCKERD_ROOTLESS_ROOTLESSKIT_NET": "pasta", "DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER": "implicit"},
    GVISOR: {"DOCKERD_ROOTLESS_ROOTLESSKIT_NET": GVISOR, "DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER": "builtin"},
}


def has(program):
    return shutil.which(program, path=PATH) is not None


def kernel():
    """Return the first two numbers of the running kernel's release."""
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])


def missing_packages(networks):
    """Return the packages that engines with these network settings lack, without duplicates."""
    found = [of_the_engine(package) for path, package in NEEDED if not os.path.exists(path)]
    found += [NETWORK_PACKAGES[name] for name in networks if name in NETWORK_PACKAGES and not has(name)]
    if AUTO in networks and not (has(SLIRP4NETNS) or has(PASTA) or drives(GVISOR)):
        found.append(NETWORK_PACKAGES[SLIRP4NETNS])
    if kernel() < OVERLAY_FOR_USERS and not has("fuse-overlayfs"):
        found.append("fuse-overlayfs")
    return list(dict.fromkeys(found))


def of_the_engine(package):
    """Return the package, with the version of the installed engine if it is the engine's."""
    if package != EXTRAS or not has("rpm"):
        return package
    query = ["rpm", "--query", "--queryformat", "%{VERSION}-%{RELEASE}", "docker-ce"]
    done = subprocess.run(query, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    return package if done.returncode else "{}-{}".format(package, done.stdout.decode("utf-8", "replace"))


def network_of(wanted):
    """Return the network driver for a setting. Raises RootlessError if the installed RootlessKit lacks it."""
    if wanted == AUTO:
        return SLIRP4NETNS if has(SLIRP4NETNS) else PASTA if has(PASTA) else GVISOR
    if wanted != SLIRP4NETNS and not drives(wanted):
        raise RootlessError(
            f"the installed RootlessKit does not have the network driver {wanted}: use auto or slirp4netns, or a newer "
            "engine (docker_engine_version)"
        )
    return wanted


def drives(network):
    """Return whether the installed RootlessKit names the network driver in its help."""
    rootlesskit = shutil.which("rootlesskit", path=PATH)
    if not rootlesskit:
        return False
    done = subprocess.run([rootlesskit, "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    return network in done.stdout.decode("utf-8", "replace")


def has_groups_v2():
    return os.path.exists(os.path.join(CGROUPS, "cgroup.controllers"))


def limits_problem():
    """Return why CPU and memory limits of users' containers cannot work on this host, or None."""
    offered = read_text(os.path.join(CGROUPS, "cgroup.controllers"))
    if offered is None:
        return (
            "this host has cgroup v1, which delegates no controller to users, so that docker run --memory, --cpus and "
            "--pids-limit, and docker stats, do nothing in their engines: boot it with "
            "systemd.unified_cgroup_hierarchy=1 on the kernel's command line (grubby --update-kernel=ALL "
            "--args=systemd.unified_cgroup_hierarchy=1)"
        )
    lacking = [name for name in CONTROLLERS if name not in offered.split()]
    if lacking:
        return (
            f"the kernel of this host offers no cgroup controller {' and '.join(lacking)}, so that limits of users' "
            "containers cannot work: remove cgroup_disable from the kernel's command line"
        )
    return None


def refuse_unprepared():
    """Raise RootlessError if users may not create namespaces here, or cannot map their numbers into them."""
    for path, remedy in (
        ("/proc/sys/user/max_user_namespaces", "sysctl user.max_user_namespaces=28633"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "sysctl kernel.unprivileged_userns_clone=1"),
    ):
        if (read_text(path) or "").strip() == "0":
            raise RootlessError(
                f"users may not create user namespaces on this host ({path} is 0), which their engines need: "
                f"allow it with {remedy}, and in /etc/sysctl.d for the next boot"
            )
    for program in ("/usr/bin/newuidmap", "/usr/bin/newgidmap"):
        if os.path.exists(program) and not has_privilege(program):
            raise RootlessError(
                f"{program} has neither the setuid bit nor capabilities, so that it cannot map numbers for users: "
                "restore what its package gave it, as with rpm --restore shadow-utils"
            )


def has_privilege(program):
    if os.stat(program).st_mode & stat.S_ISUID:
        return True
    try:
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False
