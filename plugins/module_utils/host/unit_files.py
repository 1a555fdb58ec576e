# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Read unit files and drop-ins as systemd does, and find packaged ones that were edited or overridden."""

import glob
import os

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text, sha256

OWN = "/etc/systemd/system"
PACKAGED = "/usr/lib/systemd/system"
# In systemd's order of precedence (systemd.unit(5)).
DIRECTORIES = (OWN, "/run/systemd/system", "/usr/local/lib/systemd/system", PACKAGED, "/lib/systemd/system")
SHA256_LENGTH = 64


def text(name):
    """Return the text of a unit in the first directory that has it, or None."""
    texts = (read_text(os.path.join(directory, name)) for directory in DIRECTORIES)
    return next((text for text in texts if text), None)


def drop_ins(name):
    """Return the paths of a unit's drop-ins in the order in which they apply.

    The name decides, in whatever directory a drop-in is; of two with one name, the first directory's counts.
    """
    found = {}
    for directory in reversed(DIRECTORIES):
        for path in glob.glob(os.path.join(directory, name + ".d", "*.conf")):
            found[os.path.basename(path)] = path
    return [path for _, path in sorted(found.items())]


def texts(name):
    """Return the text of a unit, then of its drop-ins; [] if there is no such unit."""
    unit = text(name)
    return [unit, *(read_text(path) or "" for path in drop_ins(name))] if unit else []


def parse_digests(text):
    """Map packaged unit files to their SHA-256 digests, from the output of rpm; other kinds of digest are skipped."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {
        row[0]: row[1] for row in rows if len(row) == 2 and row[0].startswith(PACKAGED) and len(row[1]) == SHA256_LENGTH
    }


def shadowing(names, directory=OWN):
    """Return the administrator's files that override packaged units; links to /dev/null are masks and do not count."""
    paths = [os.path.join(directory, name) for name in names]
    return [path for path in paths if os.path.lexists(path) and os.path.realpath(path) != "/dev/null"]


def edited(digests):
    """Return the packaged unit files whose content differs from what was installed; missing files do not count."""
    return [path for path, digest in sorted(digests.items()) if os.path.exists(path) and sha256(path) != digest]


def warnings(names, digests, directory=OWN):
    """Return a message for each unit file that overrides or modifies a packaged one."""
    hidden = [
        f"{path} overrides the packaged unit, so package updates do not change it: move your changes to a drop-in "
        f"(systemctl edit {os.path.basename(path)}) and remove the file"
        for path in shadowing(names, directory)
    ]
    return hidden + [
        f"{path} was edited after its package was installed, and the next update will overwrite it: move your changes "
        f"to a drop-in (systemctl edit {os.path.basename(path)}) and reinstall the package"
        for path in edited(digests)
    ]
