# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Where the cache's files are on its host."""

import os

SETTINGS = "/etc/slipway/registry-cache"
# Apart from the other files, which the container reads.
AUTHORITY = "/etc/slipway/registry-cache-ca"
RUNTIME = "/run/slipway-registry-cache"
PROGRAM = "/usr/local/bin/slipway-registry-cache"
CONTAINER = "slipway-registry-cache"
SERVICE = "slipway-registry-cache.service"
CHECK_SERVICE, CHECK_TIMER = "slipway-registry-cache-check.service", "slipway-registry-cache-check.timer"
UNITS = (SERVICE, CHECK_SERVICE, CHECK_TIMER)
# In the directory of what is cached, where an account was used: whoever gets in may have what it could pull.
PRIVATE = "pulled-with-an-account"
# In the container.
STORAGE = "/var/lib/registry"


def stored(directory):
    """Return where the registry keeps images."""
    return os.path.join(directory, "docker")


def data(directory):
    """Return what a purge deletes: what the registry writes, the own CA, and the mark of an account last of all.

    Anything else in the directory is not the cache's.
    """
    return [
        stored(directory),
        os.path.join(directory, "scheduler-state.json"),
        AUTHORITY,
        os.path.join(directory, PRIVATE),
    ]


def setting(name):
    return os.path.join(SETTINGS, name)


def authority(name):
    return os.path.join(AUTHORITY, name)
