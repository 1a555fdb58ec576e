# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A root file system below a folder, seen as a process would see it that has it as its root."""

import collections
import contextlib
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
        self.device = os.lstat(self.root).st_dev

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
        """Map each home of an account, each folder of /home and the model of homes to the names of who live there."""
        homes = collections.defaultdict(set)  # type: dict[str, set[str]]
        homes[self.resolve("etc/skel")] = set()
        for path in self.of_the_system("home/*"):  # those of accounts that are gone, too
            if is_folder(path):
                homes[path] = set()
        with open(self.resolve("etc/passwd"), encoding="utf-8", errors="surrogateescape") as stream:
            accounts = [line.rstrip("\n").split(":") for line in stream]
        for account in [["root", "", "", "", "", "/root"], *accounts]:
            if len(account) > 5:
                # One that is a link to itself, which a user can make of a home in his own, is the home of nobody.
                with contextlib.suppress(TreeError):
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
            elif rest == ["**"] or self.leads_to(path, rest):
                yield path

    def leads_to(self, link, names):
        """Whether there is such a file behind a link."""
        try:
            return os.path.lexists(self.resolve("/".join([self.inside(link), *names])))
        except TreeError:
            return False  # whoever made it lead to itself has nothing behind it

    def entries(self, directory):
        """The names in a folder, without what is the running program's own; none where there is no such folder."""
        try:
            names = sorted(os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except PermissionError as error:
            raise TreeError("{} cannot be read: run as root".format(directory)) from error
        except OSError as error:
            raise TreeError("{} cannot be read: {}: mend or remove it".format(directory, error.strerror)) from error
        return [name for name in names if os.path.join(directory, name) not in self.own]

    def files(self, directory):
        """Everything below a folder that is no folder."""
        return (path for path in self.walk(directory) if not is_folder(path))

    def walk(self, directory):
        """Everything below a folder, and each folder before what is in it; but nothing of what is not in the image."""
        pending = [directory]
        while pending:
            here = pending.pop()
            if here != directory:
                yield here
            if is_folder(here) and not self.is_volatile(here):
                pending.extend(os.path.join(here, name) for name in reversed(self.entries(here)))

    def is_volatile(self, path):
        """Whether this is /proc, /sys, /dev or /run in use, or a mount of the kernel elsewhere, which takes no disk."""
        if self.inside(path) in ("/proc", "/sys", "/dev", "/run") and os.path.ismount(path):
            return True
        with contextlib.suppress(FileNotFoundError):  # on a running system folders come and go
            return os.lstat(path).st_dev != self.device and os.statvfs(path).f_blocks == 0
        return False


def printable(text):
    """The text with escapes for what no terminal shows and what is no UTF-8; names of files may be any bytes."""
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in decoded)


def is_folder(path):
    return os.path.isdir(path) and not os.path.islink(path)
