# SPDX-License-Identifier: Apache-2.0
"""Checks free disk space before the lab writes large files."""

import shutil
from pathlib import Path

from slipway.lab.errors import LabError

GB = 1000**3


def require(folder: Path, needed: int, purpose: str) -> None:
    """Raise LabError if fewer than `needed` bytes are free for a folder, which need not exist yet."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise LabError(
            f"{purpose} needs {needed / GB:.1f} GB in {folder}, but only {free / GB:.1f} GB are free: "
            "free some space, or put the clone on a larger file system."
        )
