# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the credential helper can read the credentials of all registries."""

import subprocess

from slipway_agent.boot.errors import StepError

LAST_LOOK_SECONDS = 120


def wait(helper, seconds):
    """Return what the helper prints. It retries by itself, and not after an error that persists."""
    seconds += LAST_LOOK_SECONDS
    try:
        done = subprocess.run([helper, "wait"], stdout=subprocess.PIPE, timeout=seconds, universal_newlines=True)
    except OSError as error:
        raise StepError(f"{helper} cannot be run ({error.strerror}): run the role docker_firstboot again") from error
    except subprocess.TimeoutExpired as error:
        raise StepError(f"{helper} did not finish within {seconds} s: check that AWS can be reached") from error
    if done.returncode:
        raise StepError("; ".join(done.stdout.splitlines()))
    return done.stdout.strip()
