# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check what an engine needs from a host: cgroups, a 64-bit userland."""

import struct

from ansible_collections.slipway.platform.plugins.module_utils.daemon import versions
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts as host_mounts
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd

FIRST_WITH_CGROUP_2 = (20, 10)
CGROUP_1 = (
    "this host uses cgroup v1, which is deprecated since engine 29 and supported until May 2029 (moby's issue 51111): "
    "boot with systemd.unified_cgroup_hierarchy=1"
)


class Host:
    """Facts about a host, read once. None where unknown."""

    def __init__(self, bits, mounts):
        self.bits = bits  # of this Python, and so of the userland
        self.mounts = mounts  # of host.mounts


def gather():
    """Read the facts of this host. Mounts count only where systemd runs: a chroot will boot with others."""
    return Host(struct.calcsize("P") * 8, host_mounts.current() if systemd.is_booted() else None)


def problems(host, package, version):
    """Return a message for everything that would prevent the engine from running; version is None if unknown yet."""
    found = [bits_problem(host), cgroup_problem(host, package, version)]
    return [message for message in found if message]


def bits_problem(host):
    if host.bits >= 64:
        return None
    return f"the userland is {host.bits}-bit, and there are no packages for it: install a 64-bit release of this system"


def cgroup_problem(host, package, version):
    if host.mounts is None:
        return None
    if has_cgroup_2(host):
        old = package == "docker-ce" and version is not None and versions.release(version) < FIRST_WITH_CGROUP_2
        return cgroup_2_message(f"{package} {version}") if old else None
    # The only controller that dockerd requires to start; dockerd itself reports other missing ones.
    if any(mount.kind == "cgroup" and "devices" in mount.options for mount in host.mounts):
        return None
    return (
        "neither cgroup v2 nor the devices controller of v1 is mounted below /sys/fs/cgroup, so dockerd cannot "
        "start: boot with systemd, and without cgroup_disable on the kernel command line"
    )


def warnings(host, package, version):
    """Return messages that do not block."""
    if host.mounts is None:
        return []
    if not has_cgroup_2(host):
        deprecated = package == "docker-ce" and version and versions.release(version) >= versions.CONTAINERD_2
        return [CGROUP_1] if deprecated else []
    # docker-engine predates cgroup v2, but a private mirror may have patched it.
    return [cgroup_2_message(package)] if package == "docker-engine" else []


def cgroup_2_message(engine):
    return (
        f"this host uses cgroup v2, which {engine} does not support: boot with systemd.unified_cgroup_hierarchy=0, "
        "or install docker-ce 20.10 or later"
    )


def has_cgroup_2(host):
    """Return whether only v2 is mounted; in the hybrid layout it is mounted further down, and engines use v1."""
    return any((mount.point, mount.kind) == ("/sys/fs/cgroup", "cgroup2") for mount in host.mounts)
