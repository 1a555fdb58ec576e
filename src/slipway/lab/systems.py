# SPDX-License-Identifier: Apache-2.0
"""The systems that the lab stands in for: one release of a distribution each."""

from dataclasses import dataclass

from slipway.lab import rootfs
from slipway.lab.errors import LabError
from slipway.lab.rootfs import Rootfs


@dataclass(frozen=True)
class System:
    """A release of a distribution: its name in commands and image names, the Debian below, and its packages' tree."""

    name: str
    title: str
    debian: str
    tree: str

    @property
    def rootfs(self) -> Rootfs:
        return rootfs.HOSTS[self.name]


SYSTEMS = {
    system.name: system
    for system in (
        System("el9", "CentOS Stream 9", "Debian 12", "centos/9"),
        System("el10", "CentOS Stream 10", "Debian 13", "centos/10"),
        System("fedora43", "Fedora 43", "Debian testing", "fedora/43"),
    )
}
DEFAULT = SYSTEMS["el9"]


def named(name: str) -> System:
    """Return the system of HOST=<name>. Raises LabError."""
    try:
        return SYSTEMS[name]
    except KeyError:
        raise LabError(f"HOST={name} is not a system of the lab: use HOST={', HOST='.join(SYSTEMS)}.") from None
