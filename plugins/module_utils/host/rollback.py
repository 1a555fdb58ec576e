# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Keep the files that a change replaces until the service has started with the new ones.

The record is in /run: after a reboot no service has run with the old files, so there is nothing to roll back to.
"""

import json
import os
import time

from ansible_collections.slipway.platform.plugins.module_utils.host.files import (
    is_up_to_date,
    make_directory,
    put,
    read_text,
    remove,
)

DIRECTORY = "/run/slipway/docker"


def record_path(directory):
    return os.path.join(directory, "rollback.json")


def save(paths, directory=DIRECTORY):
    """Record the current files; files in an existing record are kept, since those are the last that worked."""
    make_directory(directory, 0o700)
    files = {path: snapshot(path) for path in paths}
    files.update(replaced(directory))
    record = {"changed_at": time.clock_gettime(time.CLOCK_MONOTONIC), "files": files}
    put(record_path(directory), json.dumps(record), 0o600)


def snapshot(path):
    text = read_text(path)
    return None if text is None else {"text": text, "mode": os.stat(path).st_mode & 0o7777}


def load(directory=DIRECTORY):
    """Return the pending record, or None."""
    text = read_text(record_path(directory))
    return None if text is None else json.loads(text)


def replaced(directory=DIRECTORY):
    """Return the files of the pending record by path, None for one that did not exist; {} without a record."""
    record = load(directory)
    return record["files"] if record else {}


def restore(files):
    """Restore every recorded file that differs; remove those that did not exist."""
    for path, previous in files.items():
        text, mode = previous and previous["text"], previous and previous["mode"]
        if not is_up_to_date(path, text, mode):  # a full disk has no room to rewrite an unchanged file
            put(path, text, mode)


def clear(directory=DIRECTORY):
    remove(record_path(directory))


def is_newer_than(record, started_at):
    """Return whether the files changed after the service started (in seconds of the monotonic clock, as in systemd)."""
    return record["changed_at"] > started_at
