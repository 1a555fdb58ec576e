# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds what looks like a secret in settings that everybody may read: by its name, or by its form."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials

# Those of cloud-config included: passwd and hashed_passwd of users, chpasswd, ssh_keys of the host.
NAMES = re.compile(r"(?i)passw|secret|token|private_?key|credential|access_?key|api_?key|\Assh_keys\Z")
SWITCHES = ("lock_passwd", "lock-passwd")


def find(settings):
    """What is there, never the secret itself."""
    kinds = {what for what, _ in credentials.matches("\n".join(texts(settings)).encode("utf-8"), credentials.KINDS)}
    return sorted(kinds) + [f"a value for {name}" for name in sorted(set(names(settings)))]


def names(settings):
    """The names that mean a secret and hold something."""
    for name, value in entries(settings):
        if isinstance(name, str) and NAMES.search(name) and name not in SWITCHES and value:
            yield name
        else:
            yield from names(value)


def texts(settings):
    """All texts within, as they are, each with its name, which may tell what it is."""
    for name, value in entries(settings):
        if isinstance(value, (dict, list, tuple)):
            yield from texts(value)
        else:
            yield f"{name}: {value}"


def entries(settings):
    if isinstance(settings, dict):
        return settings.items()
    return enumerate(settings) if isinstance(settings, (list, tuple)) else ()
