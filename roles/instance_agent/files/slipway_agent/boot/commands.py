# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Runs programs, each in its own session and with a time limit."""

import os
import signal
import subprocess
import time
from collections import namedtuple

from slipway_agent.boot.errors import StepError

Result = namedtuple("Result", "status output errors")


class Deadline:
    """A time limit that several commands share. It starts with the construction."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def remaining(self):
        """Return the remaining seconds, at least 0."""
        return max(0, self.end - time.monotonic())


def run(command, deadline, variables, folder=None, captured=True):
    """Run a command and return its Result.

    captured: if false, the output goes to the journal. Raises StepError if the program is missing, or if it runs past
    the deadline, when its process group is killed.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if captured else None,
            stderr=subprocess.PIPE if captured else None,
            universal_newlines=True,
            errors="backslashreplace",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise StepError(f"{command[0]} is not installed: run the role docker_firstboot again") from error
    try:
        output, errors = process.communicate(timeout=deadline.remaining())
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise StepError(
            f"{command[0]} did not finish within {deadline.seconds} s: see the journal, or raise "
            "docker_firstboot_pull_seconds"
        ) from error
    return Result(process.returncode, output, errors)
