# SPDX-License-Identifier: Apache-2.0
"""Disk space: the check before the lab writes large files, and the message if a disk is full."""

import os
import re
import shutil
from pathlib import Path

from slipway.lab.errors import LabError
from slipway.lab.paths import LAB

GB = 1000**3
# The kernel's words, which Go writes in lower case, and apt's.
FULL = re.compile(r"^(?:E: )?(.*(?:No space left on device|enough free space).*)", re.IGNORECASE | re.MULTILINE)
PLACES = f"{LAB} or {os.environ.get('TMPDIR', '/tmp')}"  # tempfile.gettempdir fails if every disk is full


def require(folder: Path, needed: int, purpose: str) -> None:
    """Raise LabError if fewer than `needed` bytes are free for a folder, which need not exist yet."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise LabError(
            f"{purpose} needs {needed / GB:.1f} GB in {folder}, but only {free / GB:.1f} GB are free: "
            "free some space, or put the clone on a larger file system."
        )


def full(what: str, reason: str, places: str = PLACES) -> str | None:
    """Return the message for something that failed, or None if the reason does not say that a disk is full."""
    said = FULL.search(reason)
    if not said:
        return None
    return f"{what} failed because the disk is full: free some space for {places}, then run again. ({said[1]})"
