# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the credential helper finds the credentials of its registries."""

import subprocess

from slipway_firstboot.errors import StepError

LAST_LOOK_SECONDS = 120


def wait(helper, seconds):
    """It waits by itself, as its settings say, and not for what will not pass."""
    seconds += LAST_LOOK_SECONDS
    try:
        asked = subprocess.run([helper, "wait"], stdout=subprocess.PIPE, timeout=seconds, universal_newlines=True)
    except OSError as error:
        raise StepError(f"{helper} cannot be run ({error.strerror}): run role docker_firstboot again") from error
    except subprocess.TimeoutExpired as error:
        raise StepError(f"{helper} has not ended after {seconds} s: see whether AWS can be reached") from error
    if asked.returncode:
        raise StepError("; ".join(asked.stdout.splitlines()))
    return asked.stdout.strip()
