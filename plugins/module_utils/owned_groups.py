# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Remembers which groups came with the engine, so that its removal takes these and no others."""

import os

from ansible_collections.slipway.platform.plugins.module_utils import unix_group
from ansible_collections.slipway.platform.plugins.module_utils.file_io import put, read_text, remove, remove_if_empty

RECORD = "/var/lib/slipway/groups"


def recorded(record=RECORD):
    return (read_text(record) or "").split()


def claim(name, record=RECORD):
    """Record the group as ours unless it is there already: called before whatever makes it."""
    names = recorded(record)
    if unix_group.find(name) is None and name not in names:
        os.makedirs(os.path.dirname(record), mode=0o755, exist_ok=True)
        put(record, "".join(f"{item}\n" for item in sorted([*names, name])), 0o644)


def present(record=RECORD):
    """The groups of ours that are there."""
    return [name for name in recorded(record) if unix_group.find(name)]


def forget(record=RECORD):
    remove(record)
    remove_if_empty(os.path.dirname(record))
