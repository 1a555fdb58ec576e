# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what a host lacks for an engine to run: kernel modules, cgroups, a user land of 64 bits."""

import os
import re
import struct

from ansible_collections.slipway.platform.plugins.module_utils import engine_versions, systemd_units
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

# iptables matches container addresses with it; EL 10 has moved it to a package of its own.
MODULE = "xt_addrtype"
FIRST_WITH_CGROUP_2 = (20, 10)


class Host:
    """What is read of a host, once. None where it cannot be told."""

    def __init__(self, kernel, bits, module, mounts):
        self.kernel = kernel  # the running kernel's release
        self.bits = bits  # of this Python, and so of the user land
        self.module = module  # whether the running kernel has or can load MODULE
        self.mounts = mounts  # /proc/self/mountinfo


def gather():
    """This host. The kernel is its own only where systemd runs: a chroot is going to boot another one."""
    booted = systemd_units.is_booted()
    kernel = os.uname().release
    module = find_module("/lib/modules/" + kernel) if booted else None
    mounts = read_text("/proc/self/mountinfo") if booted else None
    return Host(kernel, struct.calcsize("P") * 8, module, mounts)


def find_module(directory, loaded="/proc/modules"):
    """Whether the kernel has MODULE; None where its modules cannot be seen, as in a container."""
    if has_module(read_text(loaded) or "", MODULE):
        return True
    lists = [read_text(os.path.join(directory, name)) for name in ("modules.dep", "modules.builtin")]
    return None if lists[0] is None else any(has_module(text or "", MODULE) for text in lists)


def has_module(text, name):
    """Whether /proc/modules, modules.dep or modules.builtin has the module, compressed or not."""
    return bool(re.search(rf"^(?:[^\s:]*/)?{name}(?:\.ko(?:\.\w+)?:?)?(?:\s|$)", text, re.MULTILINE))


def problems(host, package, version, options):
    """A sentence for each thing that would keep the engine from running; version None is not known yet."""
    found = [
        bits_problem(host),
        module_problem(host, options),
        cgroup_problem(host, package, version),
    ]
    return [sentence for sentence in found if sentence]


def bits_problem(host):
    if host.bits >= 64:
        return None
    return (
        f"the user land has {host.bits} bits, for which there are no packages: install a 64-bit release of this system"
    )


def module_problem(host, options):
    leaves_iptables_alone = options.get("iptables") is False or options.get("firewall-backend") == "nftables"
    if host.module is not False or leaves_iptables_alone:
        return None
    return (
        f"the running kernel {host.kernel} has no module {MODULE}, without which dockerd dies: run dnf install "
        f"kernel-modules-extra-{host.kernel} (or reboot into a kernel that has it), or, with engine 29 and later and "
        "without swarm, set firewall-backend: nftables in docker_engine_daemon_options"
    )


def cgroup_problem(host, package, version):
    if host.mounts is None:
        return None
    if has_cgroup_2(host):
        old = package == "docker-ce" and version is not None and engine_versions.release(version) < FIRST_WITH_CGROUP_2
        return cgroup_2_sentence(f"{package} {version}") if old else None
    # The one controller without which dockerd does not start; it reports the lack of others by itself.
    mounted = [options for _, kind, options in cgroup_mounts(host.mounts) if kind == "cgroup"]
    if any("devices" in options for options in mounted):
        return None
    return (
        "neither cgroup v2 nor the devices controller of v1 is mounted below /sys/fs/cgroup, so dockerd dies: "
        "boot with systemd, and without cgroup_disable on the kernel's command line"
    )


def warnings(host, package):
    """docker-engine predates cgroup v2; but it comes from a mirror of the user's own, which may have taught it."""
    if package != "docker-engine" or host.mounts is None or not has_cgroup_2(host):
        return []
    return [cgroup_2_sentence(package)]


def cgroup_2_sentence(engine):
    return (
        f"this host has cgroup v2, which {engine} does not know: boot with systemd.unified_cgroup_hierarchy=0, "
        "or install docker-ce 20.10 or later"
    )


def has_cgroup_2(host):
    """Whether v2 is alone; in the hybrid layout it is mounted further down, and engines use v1."""
    return ("/sys/fs/cgroup", "cgroup2") in [mount[:2] for mount in cgroup_mounts(host.mounts)]


def cgroup_mounts(mountinfo):
    """(mount point, file system, its options) of each cgroup hierarchy."""
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        kind, _, rest = source.partition(" ")
        if kind in ("cgroup", "cgroup2"):
            yield mount.split(" ")[4], kind, rest.partition(" ")[2].split(",")
