# SPDX-License-Identifier: Apache-2.0
"""OCI labels that state the source of an image."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from slipway.images.errors import ImageError
from slipway.lab.paths import PROJECT

OCI = "org.opencontainers.image"


def labels(project: Path = PROJECT) -> dict[str, str]:
    """Return the labels revision and created; unknown ones are omitted, for example without git.

    The revision ends with -dirty if tracked files have changed. The time is SOURCE_DATE_EPOCH, else that of the last
    commit, so that the same sources get the same labels. Raises ImageError if SOURCE_DATE_EPOCH is not a number.
    """
    found = {
        f"{OCI}.revision": _git(project, "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"),
        f"{OCI}.created": _created(project),
    }
    return {name: value for name, value in found.items() if value}


def _created(project: Path) -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _git(project, "log", "-1", "--format=%ct")
    if not epoch:
        return ""
    if not epoch.isdecimal():
        raise ImageError(f"SOURCE_DATE_EPOCH={epoch} is not a number of seconds since 1970: correct or unset it.")
    return datetime.fromtimestamp(int(epoch), UTC).isoformat().replace("+00:00", "Z")


def _git(project: Path, *arguments: str) -> str:
    """Return git's output, or "" if git fails or is missing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.strip()
