# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Keeps the files that an unproven change replaces, until the service has come up with the new ones.

The record lives in /run: after a reboot there is nothing to go back to, because nothing ran before.
"""

import json
import os
import time

from ansible_collections.slipway.platform.plugins.module_utils.file_io import is_as_wanted, put, read_text, remove

DIRECTORY = "/run/slipway/docker"


def record_path(directory):
    return os.path.join(directory, "rollback.json")


def save(paths, directory=DIRECTORY):
    """Record the files as they are; what an older record has is kept, since that is what last worked."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    files = {path: snapshot(path) for path in paths}
    files.update((load(directory) or {"files": {}})["files"])
    record = {"changed_at": time.clock_gettime(time.CLOCK_MONOTONIC), "files": files}
    put(record_path(directory), json.dumps(record), 0o600)


def snapshot(path):
    text = read_text(path)
    return None if text is None else {"text": text, "mode": os.stat(path).st_mode & 0o7777}


def load(directory=DIRECTORY):
    """The pending record, or None."""
    text = read_text(record_path(directory))
    return None if text is None else json.loads(text)


def restore(record):
    """Put every recorded file back that differs; those that did not exist are removed."""
    for path, previous in record["files"].items():
        text, mode = previous and previous["text"], previous and previous["mode"]
        if not is_as_wanted(path, text, mode):  # a full disk has no room for what is there already
            put(path, text, mode)


def clear(directory=DIRECTORY):
    remove(record_path(directory))


def is_newer_than(record, started_at):
    """Whether the files changed after the service started (seconds of the monotonic clock; systemd uses the same)."""
    return record["changed_at"] > started_at
