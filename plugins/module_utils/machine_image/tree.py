# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A root file system below a folder, seen as a process would see it that has it as its root."""

import collections
import fnmatch
import json
import os

MOST_LINKS = 40  # as the kernel


class TreeError(Exception):
    """The tree is not one to check or to seal; the text is the sentence for the user."""


class Tree:
    """The operating system whose root is a folder. The paths that it takes and returns are those of this machine."""

    def __init__(self, root, own=()):
        """Own are folders of this machine that the running program stands in: they are overlooked."""
        self.root = os.path.realpath(root)
        self.own = [os.path.realpath(path) for path in own]
        if not os.path.isdir(self.root):
            raise TreeError("{} is no folder: name the root of an operating system".format(root))
        for needed in ("etc/passwd", "etc/os-release"):
            if not os.path.isfile(self.resolve(needed)):
                raise TreeError("{} has no {}: name the root of an operating system".format(root, needed))

    def inside(self, path):
        """The path as the operating system below the root names it."""
        return "/" + os.path.relpath(path, self.root)

    def resolve(self, path):
        """Where a path of the operating system lies; no link leads out of the root."""
        pending, links = path.split("/")[::-1], 0
        found = []  # type: list[str]
        while pending:
            name = pending.pop()
            here = os.path.join(self.root, *found, name)
            if name in ("", "."):
                continue
            if name == "..":
                found = found[:-1]
            elif os.path.islink(here):
                links += 1
                if links > MOST_LINKS:
                    raise TreeError("/{} is a link that leads to itself: remove it".format(path.lstrip("/")))
                target = os.readlink(here)
                found = [] if target.startswith("/") else found
                pending.extend(target.split("/")[::-1])
            else:
                found.append(name)
        return os.path.join(self.root, *found)

    def homes(self):
        """Map each home of an account, and the model of homes, to the names of those who live there."""
        homes = collections.defaultdict(set)  # type: dict[str, set[str]]
        homes[self.resolve("etc/skel")] = set()
        with open(self.resolve("etc/passwd"), encoding="utf-8", errors="surrogateescape") as stream:
            accounts = [line.rstrip("\n").split(":") for line in stream]
        for account in [["root", "", "", "", "", "/root"], *accounts]:
            if len(account) > 5:
                homes[self.resolve(account[5])].add(account[0])
        return homes

    def data_root(self):
        """Where the engine keeps its data, as its daemon.json says."""
        try:
            with open(self.resolve("etc/docker/daemon.json"), encoding="utf-8") as stream:
                configured = json.load(stream).get("data-root")
        except (OSError, ValueError, AttributeError):
            configured = None
        return self.resolve(configured if isinstance(configured, str) else "var/lib/docker")

    def of_the_system(self, pattern):
        """The files that match a pattern; links before its first wildcard are root's own and are followed."""
        names = pattern.split("/")
        first = next((index for index, name in enumerate(names) if "*" in name), len(names) - 1)
        return self.below(self.resolve("/".join(names[:first])), names[first:])

    def below(self, directory, names):
        """The files below a folder that match.

        No link is followed, since who owns the folder could make it lead anywhere: one that leads to a match is one.
        """
        name, rest = names[0], names[1:]
        if name == "**":
            yield from self.files(directory)
            return
        for entry in fnmatch.filter(self.entries(directory), name):
            path = os.path.join(directory, entry)
            if not rest:
                yield path
            elif not os.path.islink(path):
                yield from self.below(path, rest)
            elif rest == ["**"] or os.path.lexists(self.resolve("/".join([self.inside(path), *rest]))):
                yield path

    def entries(self, directory):
        """The names in a folder, without what is the running program's own; none where there is no such folder."""
        try:
            names = sorted(os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except PermissionError as error:
            raise TreeError("{} cannot be read: run as root".format(directory)) from error
        return [name for name in names if os.path.join(directory, name) not in self.own]

    def files(self, directory):
        """Everything below a folder that is no folder, but not what is mounted where the kernel and systemd mount."""
        if os.path.islink(directory):
            return
        for name in self.entries(directory):
            path = os.path.join(directory, name)
            if os.path.islink(path) or not os.path.isdir(path):
                yield path
            elif not self.is_volatile(path):
                yield from self.files(path)

    def is_volatile(self, path):
        """Whether this is /proc, /sys, /dev or /run in use, of which nothing is in the image."""
        return self.inside(path) in ("/proc", "/sys", "/dev", "/run") and os.path.ismount(path)
