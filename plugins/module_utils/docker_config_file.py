# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads and writes a user's config.json as that user, with modes that keep it to himself."""

import contextlib
import os
import stat
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils import docker_config_json, file_io
from ansible_collections.slipway.platform.plugins.module_utils.acting_as import acting_as

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700

# text and the modes are None for what does not exist; the modes are fine when owner and group are right too.
State = namedtuple("State", ["text", "config", "file_mode", "directory_mode", "fine"])


class ConfigFileError(Exception):
    """The file cannot be read or written; the text is the sentence for the user."""


def path_of(account):
    return os.path.join(account.home, ".docker", "config.json")


def read(account):
    """The state of the user's file."""
    path = path_of(account)
    with acting_as(account):
        try:
            file, directory = status(path), status(os.path.dirname(path))
            require_kinds(path, file, directory)
            text = file_io.read_text(path)
        except OSError as error:
            raise ConfigFileError(
                f"{path} cannot be read as {account.name} ({error.strerror}): {remedy(account)}"
            ) from error
    return State(
        text,
        docker_config_json.parse(text, path),
        mode_of(file),
        mode_of(directory),
        is_private(account, file, FILE_MODE) and is_private(account, directory, DIRECTORY_MODE),
    )


def status(path):
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


def require_kinds(path, file, directory):
    if directory and not stat.S_ISDIR(directory.st_mode):
        raise ConfigFileError(f"{os.path.dirname(path)} is not a directory: move it away")
    if file and not stat.S_ISREG(file.st_mode):
        raise ConfigFileError(f"{path} is not a regular file: move it away")


def remedy(account):
    return "give it to its user with chown -R {}: {}".format(account.name, os.path.join(account.home, ".docker"))


def require_writable(account):
    """Find out before anything is changed what would stop the write."""
    path = path_of(account)
    with acting_as(account):
        directory = os.path.dirname(path)
        found = status(directory)
        if found and found.st_uid != account.uid:
            raise ConfigFileError(f"{directory} does not belong to {account.name}: {remedy(account)}")
        for parent in (directory, os.path.dirname(os.path.realpath(path))):
            parent = file_io.nearest_existing_parent(parent)
            if not os.access(parent, os.W_OK | os.X_OK, effective_ids=True):
                raise ConfigFileError(f"{account.name} may not write into {parent}, where {path} belongs: allow it")


def write(account, text):
    """Put the text in place and close file and directory to everybody else."""
    path = path_of(account)
    directory = os.path.dirname(path)
    with acting_as(account):
        os.makedirs(directory, mode=DIRECTORY_MODE, exist_ok=True)
        if not is_private(account, os.stat(directory), DIRECTORY_MODE):
            os.chown(directory, -1, account.gid)
            os.chmod(directory, DIRECTORY_MODE)
        file_io.write_atomically(path, text, FILE_MODE)


def restore(account, state):
    """Bring back what there was before a write."""
    path = path_of(account)
    directory = os.path.dirname(path)
    with acting_as(account):
        if state.text is None:
            file_io.remove(os.path.realpath(path))
        elif (file_io.read_text(path), mode_of(status(path))) != (state.text, state.file_mode):
            file_io.write_atomically(path, state.text, state.file_mode)
        if state.directory_mode is None:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(directory)
        else:
            os.chmod(directory, state.directory_mode)
