# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Record which groups were created for the engine, so that removing it removes only those."""

import grp
import os

from ansible_collections.slipway.platform.plugins.module_utils.host.files import put, read_text, remove, remove_if_empty

RECORD = "/var/lib/slipway/groups"


def recorded(record=RECORD):
    return (read_text(record) or "").split()


def exists(name):
    try:
        return bool(grp.getgrnam(name))
    except KeyError:
        return False


def claim(name, record=RECORD):
    """Record the group as ours unless it exists already; call this before anything creates it."""
    names = recorded(record)
    if not exists(name) and name not in names:
        put(record, "".join(f"{item}\n" for item in sorted([*names, name])), 0o644)


def present(record=RECORD):
    """Return the recorded groups that exist."""
    return [name for name in recorded(record) if exists(name)]


def forget(record=RECORD):
    remove(record)
    remove_if_empty(os.path.dirname(record))
