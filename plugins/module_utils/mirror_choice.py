# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Chooses what a mirror holds: a set of the engine's packages for each pin, and the newest of what goes with all."""

import collections
import posixpath

from ansible_collections.slipway.platform.plugins.module_utils import rpm_packages

ENGINE = "docker-ce"
# For `dnf repoquery`; one line per package, fields parted by tabs.
FORMAT = "%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\t%{location}\n"
VERSIONS_SHOWN = 10


# One build as a repository has it: what can be compared, what dnf calls it, and the name of its file.
Build = collections.namedtuple("Build", "package nevra file")


def parse(output):
    """The builds in the output of a query."""
    rows = [line.split("\t") for line in output.splitlines()]
    return [build(*row) for row in rows if len(row) == 6]


def build(name, epoch, version, release, arch, location):
    package = rpm_packages.Package(name, epoch, version, release)
    return Build(package, f"{package.spec}.{arch}", posixpath.basename(location))


def newest(builds, name, pin):
    """The newest build of the name that satisfies the pin, or None."""
    package = rpm_packages.newest([item.package for item in builds], name, pin)
    return next((item for item in builds if item.package is package), None)


def pin_problems(pins):
    """A sentence for each version that is not a pin."""
    return [
        f"'{pin}' in docker_mirror_versions is no pin: write 26.1 or 26.1.5, without v, epoch and release"
        for pin in pins
        if not rpm_packages.PIN.match(pin)
    ]


def absent(builds, pins):
    """The pins that no engine among the builds satisfies; without pins, the empty one stands for any engine."""
    return [pin for pin in pins or [""] if newest(builds, ENGINE, pin) is None]


def companions(plugins):
    """What goes with every version of the engine."""
    return ["containerd.io"] + [f"docker-{name}-plugin" for name in plugins]


def absent_companions(builds, plugins):
    return [name for name in companions(plugins) if newest(builds, name, "") is None]


def choose(builds, pins, plugins):
    """For each pin the newest engine that satisfies it, with what shares its version; the newest of the companions."""
    chosen = []
    for pin in pins or [""]:
        main = newest(builds, ENGINE, pin)
        if main:
            chosen += [newest(builds, name, main.package.version) for name in rpm_packages.PINNED[ENGINE]]
    chosen += [newest(builds, name, "") for name in companions(plugins)]
    return sorted({item for item in chosen if item}, key=lambda item: item.nevra)


def absence(pin, builds, repository):
    """The sentence for a pin that no engine satisfies; it names the newest there are."""
    engines = [item.package for item in builds if item.package.name == ENGINE]
    names = list(dict.fromkeys(item.version for item in sorted(engines, key=lambda item: item.sort_key)))
    older = len(names) - VERSIONS_SHOWN
    return "{} is not in {}: it has {}{}".format(
        f"{ENGINE} {pin}".strip(),
        repository,
        ", ".join(names[-VERSIONS_SHOWN:]) or "none",
        f" and {older} older" if older > 0 else "",
    )
