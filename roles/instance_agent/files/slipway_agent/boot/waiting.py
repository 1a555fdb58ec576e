# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Retries until something succeeds or the time is up."""

import time

from slipway_agent.boot.errors import StepError

PAUSE_SECONDS = 1


class NotYetError(Exception):
    """An attempt failed. The message is the reason, with the remedy."""


def until(attempt, seconds):
    """Return the result of the first attempt that succeeds. Raises StepError with the reason of the last one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except NotYetError as error:
            if time.monotonic() >= deadline:
                raise StepError(f"after {seconds} s, {error}") from error
        time.sleep(PAUSE_SECONDS)
