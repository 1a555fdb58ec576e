# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Chooses packages: what is installed, what is wanted, what a version pin means and what is in the way."""

import re

PINNED = {
    "docker-ce": ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras"),
    "docker-engine": ("docker-engine",),
}
# Distribution packages that own the engine's files or names. Plain podman and buildah coexist with docker-ce; where
# they need runc (EL 8), they are found through it.
DISTRIBUTION = (
    "containerd",
    "docker",
    "docker-cli",
    "docker-client",
    "docker-client-latest",
    "docker-common",
    "docker-latest",
    "docker-latest-logrotate",
    "docker-logrotate",
    "moby-engine",
    "podman-docker",
    "runc",
)
CONFLICTING = {
    "docker-ce": (*DISTRIBUTION, "docker-ee", "docker-ee-cli", "docker-engine", "docker-engine-selinux"),
    "docker-engine": (*DISTRIBUTION, "docker-ce", "docker-ce-cli", "docker-ee", "docker-ee-cli"),
}
SELINUX_POLICY = "container-selinux"
PIN = re.compile(r"\A[0-9]+\.[0-9]+(?:\.[0-9]+)?\Z")
# What else the repository has, plugins above all: every name that does not begin like a pinned one. A list of names
# would lose the plugin that Docker adds next.
UNPINNED = {
    "docker-ce": ("[!d]*", "d[!o]*", "docker-[!c]*", "docker-c[!e]*"),
    "docker-engine": ("[!d]*", "d[!o]*", "docker-[!e]*", "docker-engine-[!0-9]*"),
}
# Both rpm and dnf print this; one line per package, fields parted by tabs.
QUERY_FORMAT = "%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\n"
# The same, and below each package its files with their digests.
QUERY_FORMAT_WITH_FILES = QUERY_FORMAT + "[%{FILENAMES}\t%{FILEDIGESTS}\n]"
REPOQUERY_FORMAT = "%{name}\t%{epoch}\t%{version}\t%{release}\n"
VERSIONS_SHOWN = 10


class Package:
    """One build of a package."""

    def __init__(self, name, epoch, version, release):
        self.name, self.epoch, self.version, self.release = name, epoch, version, release

    @property
    def evr(self):
        epoch = "" if self.epoch in ("0", "", "(none)") else self.epoch + ":"
        return f"{epoch}{self.version}-{self.release}"

    @property
    def spec(self):
        return f"{self.name}-{self.evr}"

    @property
    def sort_key(self):
        return version_key(self.epoch), version_key(self.version), version_key(self.release)

    def satisfies(self, pin):
        """Whether the version is the pin, or continues it at a dot."""
        return not pin or self.version == pin or self.version.startswith(pin + ".")


def version_key(text):
    """Sorts versions as rpm does: numbers above letters above the tilde of a pre-release."""
    parts = re.findall(r"[0-9]+|[A-Za-z]+|~", text)
    ranks = [(2, int(part), "") if part.isdigit() else (-1, 0, "") if part == "~" else (1, 0, part) for part in parts]
    return [*ranks, (0, 0, "")]


def parse(text):
    """The packages in the output of a query; its other lines tell of absent ones and of files."""
    rows = [line.split("\t") for line in text.splitlines()]
    return [Package(*row) for row in rows if len(row) == 4]


def sort_out(packages, package, pin):
    """The build of each name that counts as installed, by name, and the others, which an interrupted upgrade leaves."""
    kept = {}
    for item in packages:
        pin_of_item = pin if item.name in PINNED[package] else ""
        builds = [other for other in packages if other.name == item.name]
        kept[item.name] = newest(builds, item.name, pin_of_item) or newest(builds, item.name, "")
    return kept, [item for item in packages if item is not kept[item.name]]


def wanted(package, plugins):
    """The names of the packages to install; docker-engine predates the command line's plugins."""
    if package == "docker-engine":
        return ["docker-engine"]
    return ["docker-ce", "docker-ce-cli", "containerd.io"] + [f"docker-{name}-plugin" for name in plugins]


def queried(package, plugins):
    """Every name that matters on the host."""
    return sorted(set(wanted(package, plugins)) | set(PINNED[package]) | set(CONFLICTING[package]))


def pin_problem(pin):
    """The sentence for a version that is not a pin, or None."""
    if not pin or PIN.match(pin):
        return None
    return f"docker_engine_version '{pin}' is no pin: write 26.1 or 26.1.5, without v, epoch and release"


def pin_is_satisfied(package, pin, installed):
    """Whether the installed packages match the pin; extras need not be installed."""
    required = [name for name in PINNED[package] if name != "docker-ce-rootless-extras"]
    present = [installed[name] for name in PINNED[package] if name in installed]
    return all(name in installed for name in required) and all(item.satisfies(pin) for item in present)


def newest(candidates, name, pin):
    """The newest build of the name that satisfies the pin, or None."""
    matching = [item for item in candidates if item.name == name and item.satisfies(pin)]
    return max(matching, key=lambda item: item.sort_key) if matching else None


def pinned_builds(package, pin, candidates):
    """The exact builds to install, the main package's first, all of its version; none when the pin matches nothing."""
    main = newest(candidates, package, pin)
    if main is None:
        return []
    builds = [newest(candidates, name, main.version) for name in PINNED[package]]
    return [build for build in builds if build]


def include_patterns(package, pin):
    """The values of a repository's includepkgs that hold the pin as Package.satisfies means it; none without a pin."""
    if not pin:
        return []
    return [f"{name}-{version}-*" for name in PINNED[package] for version in (pin, pin + ".*")] + list(
        UNPINNED[package]
    )


def no_such_version(package, pin, candidates, repository):
    builds = sorted((item for item in candidates if item.name == package), key=lambda item: item.sort_key)
    versions = list(dict.fromkeys(item.version for item in builds))
    if not versions:
        return f"{package} is not in {repository}: correct docker_engine_repo_root or docker_engine_package"
    shown = ", ".join(versions[-VERSIONS_SHOWN:])
    older = len(versions) - VERSIONS_SHOWN
    return "{} {} is not in {}: it has {}{}. Set docker_engine_version to one of them.".format(
        package, pin, repository, shown, f" and {older} older" if older > 0 else ""
    )


def conflict_problem(package, conflicting, installed):
    names = [f"{name}-{installed[name].version}" for name in conflicting]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return (
        "{} {} installed and {} with {}: remove {}, or set docker_engine_conflicts: replace "
        "(one transaction, /var/lib/docker is kept)".format(
            listed,
            "is" if len(names) == 1 else "are",
            "conflicts" if len(names) == 1 else "conflict",
            package,
            "it" if len(names) == 1 else "them",
        )
    )
