# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds unit files that somebody has edited or put before those of the packages."""

import glob
import hashlib
import os

from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

OWN = "/etc/systemd/system"
PACKAGED = "/usr/lib/systemd/system"
SHA256_LENGTH = 64


def texts(name, directories=(OWN, PACKAGED)):
    """The texts of a unit, of the administrator or else of the package, and of its drop-ins; none without the unit."""
    units = [os.path.join(directory, name) for directory in directories]
    drop_ins = [path for unit in reversed(units) for path in sorted(glob.glob(os.path.join(unit + ".d", "*.conf")))]
    unit = next((path for path in units if os.path.exists(path)), None)
    return [read_text(path) or "" for path in [unit, *drop_ins]] if unit else []


def parse_digests(text):
    """Map the packaged unit files in the output of a query of rpm to their digests, those of SHA-256 that is."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {
        row[0]: row[1] for row in rows if len(row) == 2 and row[0].startswith(PACKAGED) and len(row[1]) == SHA256_LENGTH
    }


def shadowing(names, directory=OWN):
    """The files of the administrator that hide the packages' units; a link to /dev/null is a mask, no file."""
    paths = [os.path.join(directory, name) for name in names]
    return [path for path in paths if os.path.lexists(path) and os.path.realpath(path) != "/dev/null"]


def edited(digests):
    """The packaged unit files whose content is not the one that was installed; an absent one was not edited."""
    return [path for path, digest in sorted(digests.items()) if os.path.exists(path) and sha256(path) != digest]


def sha256(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def warnings(names, digests, directory=OWN):
    """A sentence for each file that hides or replaces what the packages bring."""
    hidden = [
        f"{path} hides the unit of the package, and with it what updates of the package bring: keep what differs "
        f"as a drop-in (systemctl edit {os.path.basename(path)}), and remove the file"
        for path in shadowing(names, directory)
    ]
    return hidden + [
        f"{path} was edited since its package was installed, and the next update overwrites it: keep what differs as a "
        f"drop-in (systemctl edit {os.path.basename(path)}), and reinstall the package"
        for path in edited(digests)
    ]
