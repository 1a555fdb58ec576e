# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Keeps tokens of registries in memory, in a file that only their user can read.

Root's are below /run, and those of others below /run/user/<uid>, which exists while the user is logged in. What is not
a file system in memory is not used, because it could become part of an image. Without a cache, each pull requests a
token.
"""

import contextlib
import json
import os
import stat
import tempfile
import time

from slipway_agent.aws.ecr import Token

NAME = "slipway-tokens"
MOUNTS = "/proc/self/mountinfo"
IN_MEMORY = frozenset(("tmpfs", "ramfs"))
# A token is not used in its last half hour, because a pull that begins with it sends it until the last layer.
MARGIN_SECONDS = 1800
FIELDS = ("username", "password", "fetched", "expires")


class TokenCache:
    """The tokens of this process's user. Errors are ignored, because a token can be requested again."""

    def __init__(self, runtime_directory):
        user = os.geteuid()
        self.parent = os.path.join(runtime_directory, "user", str(user)) if user else runtime_directory
        self.directory = os.path.join(self.parent, NAME)

    def get(self, registry):
        """Return the Token for a registry, or None if there is none with enough time left."""
        try:
            with open(os.open(self._path(registry), os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
                if not is_private(os.fstat(file.fileno()), stat.S_ISREG):
                    return None
                content = json.load(file)
            token = Token(*(content[name] for name in FIELDS))
            # A clock that was set back would prolong its life.
            return token if token.fetched <= time.time() < token.expires - MARGIN_SECONDS else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, registry, token):
        temporary = None
        try:
            if not self._is_usable():
                return
            descriptor, temporary = tempfile.mkstemp(dir=self.directory)  # with mode 0600
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump({name: getattr(token, name) for name in FIELDS}, file)
            os.rename(temporary, self._path(registry))
        except OSError:
            if temporary:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)

    def _path(self, registry):
        # No name of a registry has a slash, apart from the Hub's key, which is not one of ECR.
        return os.path.join(self.directory, registry + ".json")

    def _is_usable(self):
        """Return whether the directory is in memory and private; create it if it is missing."""
        parent = os.lstat(self.parent)
        if parent.st_uid != os.geteuid() or not is_in_memory(parent.st_dev):
            return False
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.directory, 0o700)
        return is_private(os.lstat(self.directory), stat.S_ISDIR)


def is_private(status, is_kind):
    return is_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def is_in_memory(device):
    """Return whether the file system on a device is one without a disk. device: as in the result of os.stat."""
    number = f"{os.major(device)}:{os.minor(device)}"
    with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
        mounts = [line.split() for line in file]
    return any(mount[2] == number and mount[mount.index("-") + 1] in IN_MEMORY for mount in mounts)
