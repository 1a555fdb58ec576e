# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Record per user of what was set up for their engine, so that removing it takes back only that."""

import json
import os

from ansible_collections.slipway.platform.plugins.module_utils.host import files

DIRECTORY = "/var/lib/slipway/rootless"
# linger: it was off before. subids: [start, count] of the range that was added. pending: files changed since the start.
# data_root: where its data are, which daemon.json does not tell once it is removed.
EMPTY = {"linger": False, "subids": None, "pending": False, "data_root": None}


def path_of(name, directory):
    return os.path.join(directory, f"{name}.json")


def load(name, directory=DIRECTORY):
    """Return the record of a user; an empty one if there is none."""
    return {**EMPTY, **json.loads(files.read_text(path_of(name, directory)) or "{}")}


def save(name, record, directory=DIRECTORY):
    files.put(path_of(name, directory), json.dumps(record, sort_keys=True) + "\n", 0o644)


def forget(name, directory=DIRECTORY):
    files.remove(path_of(name, directory))
    files.remove_if_empty(directory)
    files.remove_if_empty(os.path.dirname(directory))
