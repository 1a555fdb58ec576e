# SPDX-License-Identifier: Apache-2.0
"""Debian's cloud-init, unpacked and not installed, to have it judge user data."""

import os
import subprocess
import sys
from pathlib import Path

from slipway.lab import debian
from slipway.lab.paths import LAB

# With those of Python's libraries that it imports and this project's environment may lack.
PACKAGES = ["cloud-init", *(f"python3-{name}" for name in ("configobj", "json-pointer", "jsonpatch", "netifaces"))]
PACKAGES += ["python3-oauthlib", "python3-six"]


def check(user_data: Path) -> str:
    """What `cloud-init schema` finds wrong with a file, or nothing."""
    libraries = _unpacked() / "usr/lib/python3/dist-packages"
    done = subprocess.run(
        [sys.executable, "-m", "cloudinit.cmd.main", "schema", "--config-file", user_data],
        env={**os.environ, "PYTHONPATH": str(libraries)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


def _unpacked() -> Path:
    root = LAB / "cloud-init"
    if not root.exists():
        downloads = LAB / "cloud-init.debs"
        debian.download(PACKAGES, "bookworm", downloads)
        unfinished = LAB / "cloud-init.unfinished"
        for package in downloads.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, unfinished], check=True)
        unfinished.rename(root)
    return root
