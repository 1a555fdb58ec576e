# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Access a root file system in a directory as a process chrooted into it would see it."""

import collections
import contextlib
import fnmatch
import functools
import json
import os
import stat
import weakref

from . import opening

# On a running system, files come and go and directories are replaced.
GONE = (FileNotFoundError, NotADirectoryError)


class TreeError(Exception):
    """The tree cannot be checked or sealed; str() is the message for the user."""


class Tree:
    """The operating system whose root is a directory. Its methods take and return paths on this machine."""

    def __init__(self, root, own=()):
        """Open the root. `own` are directories on this machine with the running program, which are skipped."""
        self.root = os.path.realpath(root)
        self.own = [os.path.realpath(path) for path in own]
        # Stays the root even if the path is replaced.
        self.top = self.open_root(root)
        weakref.finalize(self, os.close, self.top)
        for needed in ("etc/passwd", "etc/os-release"):
            if not os.path.isfile(self.resolve(needed)):
                raise TreeError("{} has no {}: give the root directory of an operating system".format(root, needed))
        self.device = os.fstat(self.top).st_dev

    def open_root(self, root):
        try:
            top = opening.folder_of_root(os.path.abspath(root))
        except OSError as error:
            raise TreeError(
                "{} cannot be opened as a directory ({}): give the root directory of an operating system".format(
                    root, error.strerror
                )
            ) from error
        if not os.path.samestat(os.fstat(top), os.stat(self.root)):
            os.close(top)
            raise TreeError("{} was replaced while it was opened: run again when nothing changes it".format(root))
        return top

    def folder(self, path):
        """Open a directory; raise OSError if part of the path was replaced by a link since it was listed."""
        return opening.folder_below(self.top, [name for name in self.inside(path).split("/") if name])

    def file(self, path, buffering=-1):
        """Open a regular file for reading, following no link either."""
        with self.folder(os.path.dirname(path)) as folder:
            return open(opening.regular_file(os.path.basename(path), folder=folder), "rb", buffering)

    def read(self, path, largest=opening.LARGEST):
        """Return the bytes of a file, or None if it does not exist. Raise TreeError if it cannot be read."""
        try:
            with self.reading(path), self.file(path) as stream:
                return opening.read(stream, largest)
        except GONE:
            return None

    @contextlib.contextmanager
    def reading(self, path):
        """Turn errors within the context into a TreeError with the path, except for files that are gone."""
        try:
            yield
        except GONE:
            raise
        except PermissionError as error:
            raise TreeError("{} cannot be read: run as root".format(path)) from error
        except OSError as error:
            reason = error.strerror or error
            raise TreeError("{} cannot be read: {}: fix or remove it".format(path, reason)) from error

    @contextlib.contextmanager
    def cached(self):
        """Cache resolved paths and directory listings within the context: many patterns share their first names."""
        # Attributes of the object take precedence over its methods.
        vars(self).update(
            resolve=functools.lru_cache(maxsize=None)(self.resolve),
            entries=functools.lru_cache(maxsize=None)(self.entries),
        )
        try:
            yield
        finally:
            del vars(self)["resolve"], vars(self)["entries"]

    def inside(self, path):
        """Return the path, which is below the root, as seen inside the operating system."""
        return "/" + path[len(self.root) :].lstrip("/")

    def resolve(self, path):
        """Return the path on this machine for one inside the operating system; no link leads out of the root."""
        pending, links = path.split("/")[::-1], 0
        found = []  # type: list[str]
        while pending:
            name = pending.pop()
            here = os.path.join(self.root, *found, name)
            if name in ("", "."):
                continue
            if name == "..":
                found = found[:-1]
                continue
            target = opening.target_of(here)
            if target is not None:
                links += 1
                if links > opening.MOST_LINKS:
                    raise TreeError("/{} is a symbolic link loop: remove it".format(path.lstrip("/")))
                found = [] if target.startswith("/") else found
                pending.extend(target.split("/")[::-1])
            else:
                found.append(name)
        return os.path.join(self.root, *found)

    def homes(self):
        """Map each home directory to its users' names; /etc/skel and all directories in /home count too."""
        homes = collections.defaultdict(set)  # type: dict[str, set[str]]
        homes[self.resolve("etc/skel")] = set()
        for path in self.glob("home/*"):  # including those of deleted accounts
            if is_folder(path):
                homes[path] = set()
        for name, home in self.accounts():
            # A link loop, which a user can create where their home contains another's, is nobody's home.
            with contextlib.suppress(TreeError):
                homes[self.resolve(home)].add(name)
        return homes

    def accounts(self):
        """Return name and home of each account; root first, even if it is not listed."""
        content = self.read(self.resolve("etc/passwd"), opening.LARGEST_ACCOUNT_FILE) or b""
        fields = [line.split(":") for line in content.decode("utf-8", "surrogateescape").split("\n")]
        return [("root", "/root"), *((account[0], account[5]) for account in fields if len(account) > 5)]

    def data_root(self):
        """Return the engine's data root, according to its daemon.json."""
        try:
            configured = json.loads((self.read(self.resolve("etc/docker/daemon.json")) or b"").decode()).get(
                "data-root"
            )
        except (ValueError, AttributeError, RecursionError):
            configured = None
        return self.resolve(configured if isinstance(configured, str) else "var/lib/docker")

    def glob(self, pattern):
        """Return the files that match a pattern; links before its first wildcard belong to root and are followed."""
        names = pattern.split("/")
        first = next((index for index, name in enumerate(names) if "*" in name), len(names) - 1)
        return self.below(self.resolve("/".join(names[:first])), names[first:])

    def below(self, directory, names):
        """Yield the files below a directory that match.

        No link is followed, since the owner of the directory could point it anywhere: a link that leads to a match is
        yielded itself.
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
        """Return whether a link leads to a directory with such a file."""
        try:
            return os.path.lexists(self.resolve("/".join([self.inside(link), *names])))
        except TreeError:
            return False  # a link loop leads nowhere

    def entries(self, directory):
        """Return the names in a directory, without those of the running program; [] if there is no such directory."""
        try:
            with self.reading(directory), self.folder(directory) as folder:
                names = sorted(os.listdir(folder))
        except GONE:
            return []
        return [name for name in names if os.path.join(directory, name) not in self.own]

    def files(self, directory):
        """Return everything below a directory except directories."""
        return (path for path in self.walk(directory) if not is_folder(path))

    def walk(self, directory):
        """Yield everything below a directory, parents first, except what is not stored in the image."""
        pending = [directory]
        while pending:
            here = pending.pop()
            if here != directory:
                yield here
            if is_folder(here) and not self.is_volatile(here):
                pending.extend(os.path.join(here, name) for name in reversed(self.entries(here)))

    def contents(self):
        """Yield (path, name, descriptor of its directory) of every regular file, each directory opened only once."""
        pending = [self.root]
        while pending:
            here = pending.pop()
            with contextlib.suppress(*GONE), self.reading(here), self.folder(here) as folder:
                if self.is_volatile(here):
                    continue
                folders = []
                for name in sorted(os.listdir(folder)):
                    path = os.path.join(here, name)
                    if path in self.own:
                        continue
                    try:
                        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                    except FileNotFoundError:
                        continue
                    if stat.S_ISDIR(mode):
                        folders.append(path)
                    elif stat.S_ISREG(mode):
                        yield path, name, folder
                pending.extend(reversed(folders))

    def is_volatile(self, path):
        """Return whether this is a mounted /proc, /sys, /dev or /run, or another mount that occupies no disk space."""
        if self.inside(path) in ("/proc", "/sys", "/dev", "/run") and os.path.ismount(path):
            return True
        with contextlib.suppress(FileNotFoundError):  # on a running system, directories come and go
            return os.lstat(path).st_dev != self.device and os.statvfs(path).f_blocks == 0
        return False


def printable(text):
    """Escape unprintable characters and bytes that are not UTF-8; file names may contain any."""
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in decoded)


def is_folder(path):
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
