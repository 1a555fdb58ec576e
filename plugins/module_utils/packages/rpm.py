# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Choose packages: what is installed, what to install, what a version pin matches and what conflicts."""

import re

PINNED = {
    "docker-ce": ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras"),
    "docker-engine": ("docker-engine",),
}
# Distribution packages that own the engine's files or names. Plain podman and buildah coexist with docker-ce; those
# that need runc (EL 8) are found as its dependents.
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
CONTAINERD = "containerd.io"
DNF5_BINDINGS = "python3-libdnf5"
PIN = re.compile(r"\A[0-9]+\.[0-9]+(?:\.[0-9]+)?\Z")
# Everything else in the repository, mostly plugins: every name that does not begin like a pinned one. A list of names
# would exclude the next plugin that Docker adds.
UNPINNED = {
    "docker-ce": ("[!d]*", "d[!o]*", "docker-[!c]*", "docker-c[!e]*"),
    "docker-engine": ("[!d]*", "d[!o]*", "docker-[!e]*", "docker-engine-[!0-9]*"),
}
# The same without containerd.io, where it is pinned.
WITHOUT_CONTAINERD = {"[!d]*": ("[!cd]*", "c[!o]*", "co[!n]*", "con[!t]*", "container[!d]*")}
# Both rpm and dnf print this: one line per package, tab-separated.
QUERY_FORMAT = "%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\n"
# The same, followed by the files of each package with their digests.
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
        """Return whether the version equals the pin, or extends it after a dot."""
        return not pin or self.version == pin or self.version.startswith(pin + ".")


def version_key(text):
    """Return a sort key that orders versions as rpm does: numbers above letters above the tilde of a pre-release."""
    parts = re.findall(r"[0-9]+|[A-Za-z]+|~", text)
    return [*map(rank, parts), (0, 0, "")]


def rank(part):
    """Return the sort key of a part; a number's is its length and its digits, of which it may have thousands."""
    if part[0].isdigit():
        return 2, len(part.lstrip("0")), part.lstrip("0")
    return (-1, 0, "") if part == "~" else (1, 0, part)


def parse(text):
    """Return the packages in the output of a query; its other lines are about missing packages and files."""
    rows = [line.split("\t") for line in text.splitlines()]
    return [Package(*row) for row in rows if len(row) == 4]


def split_superseded(packages, package, pin):
    """Return the current build of each name, by name, and the others, which an interrupted upgrade left behind."""
    kept = {}
    for item in packages:
        pin_of_item = pin if item.name in PINNED[package] else ""
        builds = [other for other in packages if other.name == item.name]
        kept[item.name] = newest(builds, item.name, pin_of_item) or newest(builds, item.name, "")
    return kept, [item for item in packages if item is not kept[item.name]]


def wanted(package, plugins):
    """Return the names of the packages to install; docker-engine predates CLI plugins."""
    if package == "docker-engine":
        return ["docker-engine"]
    return ["docker-ce", "docker-ce-cli", CONTAINERD] + [f"docker-{name}-plugin" for name in plugins]


def queried(package, plugins):
    """Return every package name to look for on the host."""
    return sorted({*wanted(package, plugins), *PINNED[package], *CONFLICTING[package], DNF5_BINDINGS})


def pin_problem(pin, variable="docker_engine_version", example="26.1 or 26.1.5"):
    """Return a message if the version cannot be pinned, or None."""
    if not pin or PIN.match(pin):
        return None
    return f"{variable} '{pin}' is not a valid version: write {example}, without v, epoch or release"


def pin_is_satisfied(package, pin, installed):
    """Return whether the installed packages match the pin; extras need not be installed."""
    required = [name for name in PINNED[package] if name != "docker-ce-rootless-extras"]
    present = [installed[name] for name in PINNED[package] if name in installed]
    return all(name in installed for name in required) and all(item.satisfies(pin) for item in present)


def newest(candidates, name, pin):
    """Return the newest build of the name that satisfies the pin, or None."""
    matching = [item for item in candidates if item.name == name and item.satisfies(pin)]
    return max(matching, key=lambda item: item.sort_key) if matching else None


def pinned_builds(package, pin, candidates):
    """Return the exact builds to install, the main package first, all of one version; [] if the pin matches nothing."""
    main = newest(candidates, package, pin)
    if main is None:
        return []
    builds = [newest(candidates, name, main.version) for name in PINNED[package]]
    return [build for build in builds if build]


def include_patterns(package, pin, containerd_pin=""):
    """Return values for includepkgs that enforce the pins as Package.satisfies does; [] without a pin."""
    if not pin and not containerd_pin:
        return []
    held = [(name, pin) for name in PINNED[package] if pin]
    others = list(UNPINNED[package] if pin else ("[!d]*", "d*"))
    if containerd_pin:
        held.append((CONTAINERD, containerd_pin))
        others = [item for pattern in others for item in WITHOUT_CONTAINERD.get(pattern, (pattern,))]
    return [f"{name}-{version}-*" for name, one in held for version in (one, one + ".*")] + others


def required_version(requirements, name):
    """Return the least version of a package that lines of `dnf repoquery --requires` ask for, or None."""
    found = re.search(rf"^{re.escape(name)} >= (?:[0-9]+:)?([^\s-]+)", requirements, re.MULTILINE)
    return found.group(1) if found else None


def no_such_version(package, pin, candidates, repository, variable="docker_engine_version"):
    builds = [item for item in candidates if item.name == package]
    if not builds:
        return f"{package} is not in {repository}: correct docker_engine_repo_root or docker_engine_package"
    return f"{package} {pin} is not in {repository}: it has {versions_of(builds)}. Set {variable} to one of them."


def versions_of(builds):
    """Return the versions of the builds for a message, the newest last; "none" without any."""
    versions = list(dict.fromkeys(item.version for item in sorted(builds, key=lambda item: item.sort_key)))
    older = len(versions) - VERSIONS_SHOWN
    return (", ".join(versions[-VERSIONS_SHOWN:]) or "none") + (f" and {older} older" if older > 0 else "")


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
