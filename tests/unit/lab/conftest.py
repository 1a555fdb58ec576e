# SPDX-License-Identifier: Apache-2.0
"""A small disk, for the lab's messages if a disk is full."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def small_disk() -> Callable[[Path, str], list[str]]:
    """Return the prefix of a command for which a folder is a tmpfs with mount options."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("only root may mount, and not in every container")

    def prefix(folder: Path, options: str) -> list[str]:
        folder.mkdir()
        return ["unshare", "--mount", "sh", "-ec", f'mount -t tmpfs -o {options} tmpfs "$0"; exec "$@"', str(folder)]

    return prefix
