# SPDX-License-Identifier: Apache-2.0
"""Holds the tables of dockerd's options against a checkout of moby, with all of its tags.

    python -m slipway.engine_options ../moby

An option of daemon.json is a JSON tag of dockerd's configuration that a flag names, or a key of its list of those that
have no flag. Each minor release counts with the last of its tags. Nothing is written: the tables of
plugins/module_utils/daemon/versions.py and options.py are edited by hand, with the date.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.slipway.platform.plugins.module_utils.daemon import options as daemon_options
from ansible_collections.slipway.platform.plugins.module_utils.daemon import versions

Release = tuple[int, int]

TAG = re.compile(r"(?:docker-)?v(?P<numbers>1\.13\.\d+|(?:1[7-9]|[2-9]\d)\.\d+\.\d+)(?:-ce)?$")
# Where the configuration's structures are, and where the flags are; releases moved both.
STRUCTURES = re.compile(r"daemon/config(?:_\w+)?\.go|daemon/config/\w+\.go|(?:daemon/pkg/)?registry/config\w*\.go")
FLAGS = re.compile(
    r"(?:cmd/dockerd|daemon/command|cli/flags|opts|runconfig/opts|daemon/pkg/opts)/\w+\.go|"
    + STRUCTURES.pattern
    + "|registry/service.go"
)
OTHER_SYSTEMS = re.compile(r"_(?:test|windows|solaris|freebsd)\.go$")
JSON_TAG = re.compile(r'json:"([a-z0-9-]+)')
NAME = re.compile(r'"([a-z0-9][a-z0-9-]+)"')
WITHOUT_FLAG = re.compile(r"skipValidateOptions = map\[string\]bool\{(.*?)\n\}", re.DOTALL)
# What dockerd still has a name for, to say that it is gone.
REFUSAL = re.compile(r"errors\.New\((.*(?:removed|is deprecated; use).*)\)")
QUOTED = re.compile(r"""["'](?:--)?([a-z0-9][a-z0-9-]+)["']""")
# Keys within others, and one that has no flag because it is a group of keys.
NESTED = frozenset(("http-proxy", "https-proxy", "no-proxy", "network-host", "security-insecure", "device"))
GROUPS = frozenset(("proxies",))
# Refused from 17.12 on where it is false, and accepted where it is true.
REFUSED_BY_VALUE = frozenset(("disable-legacy-registry",))


class Checkout:
    """A clone of moby."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str) -> str:
        """Return what git prints."""
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, errors="replace").stdout

    def last_tags(self) -> dict[Release, str]:
        """Return the last tag of each minor release from 1.13 on, without candidates, in the order of releases."""
        found: dict[Release, tuple[int, str]] = {}
        for tag in self.git("tag").split():
            match = TAG.match(tag)
            if match:
                first, second, patch = map(int, match["numbers"].split("."))
                found[first, second] = max(found.get((first, second), (-1, "")), (patch, tag))
        return {release: found[release][1] for release in sorted(found)}

    def accepted(self, tag: str) -> set[str]:
        """Return the options of daemon.json that a release starts with."""
        paths = self.git("ls-tree", "-r", "--name-only", tag).splitlines()
        files = [path for path in paths if FLAGS.fullmatch(path) and not OTHER_SYSTEMS.search(path)]
        texts = {path: self.git("show", f"{tag}:{path}") for path in files}
        return options_of(texts)


def options_of(texts: dict[str, str]) -> set[str]:
    """Return the options that Go sources, by path, make dockerd accept."""
    tagged: set[str] = set()
    named: set[str] = set()
    without_flag: set[str] = set()
    refused: set[str] = set()
    for path, text in texts.items():
        if STRUCTURES.fullmatch(path):
            tagged.update(JSON_TAG.findall(text))
        for listed in WITHOUT_FLAG.findall(text):
            without_flag.update(NAME.findall(listed))
        named.update(NAME.findall(JSON_TAG.sub("", text)))
        for message in REFUSAL.findall(text):
            refused.update(QUOTED.findall(message))
    refused |= {name + "s" for name in refused}
    return without_flag | ((tagged & (named | GROUPS)) - (refused - REFUSED_BY_VALUE) - NESTED)


def history(checkout: Checkout) -> dict[str, tuple[Release, Release | None]]:
    """Return each option's first release, and the first one after its last, None where the newest release has it."""
    tags = checkout.last_tags()
    accepted = {release: checkout.accepted(tag) for release, tag in tags.items()}
    releases = list(tags)
    found: dict[str, tuple[Release, Release | None]] = {}
    for name in sorted(set().union(*accepted.values())):
        having = [release for release in releases if name in accepted[release]]
        after = releases.index(having[-1]) + 1
        found[name] = having[0], releases[after] if after < len(releases) else None
    return found


def differences(found: dict[str, tuple[Release, Release | None]]) -> Iterator[str]:
    """Yield a line for each option of which the tables say something else than the sources."""
    introduced = {name: since for since, kind, name in versions.INTRODUCED if kind == versions.OPTION}
    removed = {name: since for since, kind, name, _ in versions.REMOVED if kind == versions.OPTION}
    oldest = min(since for since, _ in found.values())
    for name in sorted(set(found) - daemon_options.KNOWN):
        yield f"{name}: dockerd has it ({told(found[name])}), and options.KNOWN lacks it"
    for name in sorted(daemon_options.KNOWN - set(found)):
        yield f"{name}: options.KNOWN has it, and no release of dockerd accepts it"
    for name, (since, gone) in sorted(found.items()):
        if introduced.get(name, oldest) != since:
            yield f"{name}: new in {number(since)}, and versions.INTRODUCED says {number(introduced.get(name))}"
        if removed.get(name) != gone:
            yield f"{name}: gone in {number(gone)}, and versions.REMOVED says {number(removed.get(name))}"


def number(release: Release | None) -> str:
    return versions.name_of(release) if release else "nothing"


def told(lifetime: tuple[Release, Release | None]) -> str:
    return f"from {number(lifetime[0])} on" + (f", gone in {number(lifetime[1])}" if lifetime[1] else "")


def main() -> int:
    """Print the differences; fail if there are any."""
    parser = argparse.ArgumentParser(prog="python -m slipway.engine_options", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a clone of github.com/moby/moby with its tags")
    parser.add_argument("--all", action="store_true", help="print each option's releases too")
    arguments = parser.parse_args()
    checkout = Checkout(arguments.checkout)
    found = history(checkout)
    if arguments.all:
        print("\n".join(f"{name}: {told(lifetime)}" for name, lifetime in found.items()))
    lines = list(differences(found))
    print("\n".join(lines) or f"The tables agree with {len(checkout.last_tags())} releases.")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
