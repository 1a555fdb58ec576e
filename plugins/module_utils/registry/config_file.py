# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Access to a user's ~/.docker/config.json, as that user and with modes that keep it private."""

import contextlib
import os
import stat
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import acting_as
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import opening
from ansible_collections.slipway.platform.plugins.module_utils.registry import config_json

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700

# text and modes are None if the file or directory does not exist; private: mode, owner and group of both are right.
State = namedtuple("State", ["text", "config", "file_mode", "directory_mode", "private"])


class ConfigFileError(Exception):
    """The file cannot be read or written; the message is for the user."""


def path_of(account):
    return os.path.join(account.home, ".docker", "config.json")


def read(account):
    """Return the State of the user's file. Raises ConfigFileError and DockerConfigError."""
    path = path_of(account)
    with acting_as(account):
        try:
            directory = stat_or_none(os.path.dirname(path))
            require_directory(path, directory)
            text, file = content(path)
        except OSError as error:
            raise ConfigFileError(
                f"{path} cannot be read as {account.name} ({error.strerror}): {remedy(account, error)}"
            ) from error
    return State(
        text,
        config_json.parse(text, path),
        mode_of(file),
        mode_of(directory),
        is_private(account, file, FILE_MODE) and is_private(account, directory, DIRECTORY_MODE),
    )


def content(path):
    """The text and the stat result of the file, or (None, None) if it does not exist.

    Symbolic links are followed with the user's permissions. The type is checked on the open file, because the user can
    replace the path at any time.
    """
    try:
        descriptor = opening.regular_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return None, None
    with open(descriptor, "rb") as stream:
        return opening.read(stream).decode("utf-8", "surrogateescape"), os.fstat(descriptor)


def stat_or_none(path):
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def mode_of(found):
    return stat.S_IMODE(found.st_mode) if found else None


def is_private(account, found, mode):
    return found is None or (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (
        mode,
        account.uid,
        account.gid,
    )


def require_directory(path, directory):
    if directory and not stat.S_ISDIR(directory.st_mode):
        raise ConfigFileError(f"{os.path.dirname(path)} is not a directory: move it away")


def remedy(account, error=None):
    if error and not isinstance(error, PermissionError):
        return "move it away"
    return "run chown -R {}: {}".format(account.name, os.path.join(account.home, ".docker"))


def require_writable(account):
    """Raise ConfigFileError if a later write would fail."""
    path = path_of(account)
    with acting_as(account):
        directory = os.path.dirname(path)
        found = stat_or_none(directory)
        if found and found.st_uid != account.uid:
            raise ConfigFileError(f"{directory} is not owned by {account.name}: {remedy(account)}")
        for parent in (directory, os.path.dirname(os.path.realpath(path))):
            parent = files.nearest_existing_parent(parent)
            if not os.access(parent, os.W_OK | os.X_OK, effective_ids=True):
                raise ConfigFileError(
                    f"{account.name} has no write permission in {parent}, which is needed for {path}: grant it"
                )


def write(account, text):
    """Write the text, and make the file and its directory private."""
    path = path_of(account)
    directory = os.path.dirname(path)
    with acting_as(account):
        files.make_directory(directory, DIRECTORY_MODE)
        if not is_private(account, os.stat(directory), DIRECTORY_MODE):
            os.chown(directory, -1, account.gid)
            os.chmod(directory, DIRECTORY_MODE)
        files.write_atomically(path, text, FILE_MODE)


def restore(account, state):
    """Restore the state from before a write."""
    path = path_of(account)
    directory = os.path.dirname(path)
    with acting_as(account):
        if state.text is None:
            files.remove(os.path.realpath(path))
        elif not is_unchanged(path, state):
            files.write_atomically(path, state.text, state.file_mode)
        if state.directory_mode is None:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(directory)
        else:
            os.chmod(directory, state.directory_mode)


def is_unchanged(path, state):
    try:
        text, file = content(path)
    except OSError:
        return False
    return (text, mode_of(file)) == (state.text, state.file_mode)
