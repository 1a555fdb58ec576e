# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Choose the content of a mirror: the engine's packages for each pinned version, and the newest companions."""

import collections
import re

from ansible_collections.slipway.platform.plugins.module_utils.packages import rpm

ENGINE = "docker-ce"
# For `dnf repoquery`: one line per package, tab-separated. From 4.19 on, dnf prints the tag %{location} as it is.
FORMAT = "%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\n"
# What a name, version, release or architecture consists of; anything else could lead out of a directory.
SAFE = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._+~^-]*\Z")


# A build in a repository: an rpm.Package to compare, its NEVRA and the name of its file.
Build = collections.namedtuple("Build", "package nevra file")


def parse(output):
    """Return the builds in the output of a query."""
    rows = [line.split("\t") for line in output.splitlines()]
    return [build(*row) for row in rows if len(row) == 5 and all(map(SAFE.match, row))]


def build(name, epoch, version, release, arch):
    package = rpm.Package(name, epoch, version, release)
    return Build(package, f"{package.spec}.{arch}", f"{name}-{version}-{release}.{arch}.rpm")


def newest(builds, name, pin):
    """Return the newest build of the name that satisfies the pin, or None."""
    package = rpm.newest([item.package for item in builds], name, pin)
    return next((item for item in builds if item.package is package), None)


def pin_problems(pins):
    """Return a message for each version that cannot be pinned."""
    return [
        f"'{pin}' in docker_mirror_versions is not a valid version: write 26.1 or 26.1.5, without v, epoch or release"
        for pin in pins
        if not rpm.PIN.match(pin)
    ]


def absent(builds, pins):
    """Return the pins that no engine among the builds satisfies; without pins, [""] if there is no engine at all."""
    return [pin for pin in pins or [""] if newest(builds, ENGINE, pin) is None]


def companions(plugins):
    """Return the names of the packages that work with every version of the engine."""
    return [rpm.CONTAINERD] + [f"docker-{name}-plugin" for name in plugins]


def absent_companions(builds, plugins):
    return [name for name in companions(plugins) if newest(builds, name, "") is None]


def choose(builds, pins, plugins):
    """Return the newest engine for each pin with the packages of the same version, and the newest companions."""
    chosen = []
    for pin in pins or [""]:
        main = newest(builds, ENGINE, pin)
        if main:
            chosen += [newest(builds, name, main.package.version) for name in rpm.PINNED[ENGINE]]
    chosen += [newest(builds, name, "") for name in companions(plugins)]
    return sorted({item for item in chosen if item}, key=lambda item: item.nevra)


def absence(pin, builds, repository):
    """Return a message about a pin that no engine satisfies; it lists the newest available versions."""
    engines = [item.package for item in builds if item.package.name == ENGINE]
    return "{} is not in {}: it has {}".format(f"{ENGINE} {pin}".strip(), repository, rpm.versions_of(engines))
