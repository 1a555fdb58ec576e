# SPDX-License-Identifier: Apache-2.0
"""Programs that must succeed."""

import subprocess


def output(*command: str) -> str:
    """Run a program and return what it printed. Raises CalledProcessError, which holds its words, when it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run(*command: str) -> None:
    """Run a program for its effect."""
    output(*command)
