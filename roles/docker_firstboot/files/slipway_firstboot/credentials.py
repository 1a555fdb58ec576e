# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks the credential helper whether it finds the credentials of its registries."""

import subprocess

from slipway_firstboot.errors import StepError

CHECK_SECONDS = 120


def check(helper):
    try:
        asked = subprocess.run(
            [helper, "check"], stdout=subprocess.PIPE, timeout=CHECK_SECONDS, universal_newlines=True
        )
    except OSError as error:
        raise StepError(f"{helper} cannot be run ({error.strerror}): run role docker_firstboot again") from error
    except subprocess.TimeoutExpired as error:
        raise StepError(f"{helper} has not ended after {CHECK_SECONDS} s: see whether AWS can be reached") from error
    if asked.returncode:
        raise StepError("; ".join(asked.stdout.splitlines()))
    return asked.stdout.strip()
