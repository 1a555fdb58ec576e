# SPDX-License-Identifier: Apache-2.0
"""Mounts, and a small disk for the lab's messages if a disk is full."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def may_mount() -> None:
    """Skip the test where nothing can be mounted."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("only root may mount, and not in every container")


@pytest.fixture
def small_disk(may_mount: None) -> Callable[[Path, str], list[str]]:
    """Return the prefix of a command for which a folder is a tmpfs with mount options."""

    def prefix(folder: Path, options: str) -> list[str]:
        folder.mkdir()
        return ["unshare", "--mount", "sh", "-ec", f'mount -t tmpfs -o {options} tmpfs "$0"; exec "$@"', str(folder)]

    return prefix
