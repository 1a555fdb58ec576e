# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tries again until something succeeds, and not for ever."""

import time

from slipway_firstboot.errors import StepError

PAUSE_SECONDS = 1


class NotYetError(Exception):
    """What is waited for is not there yet; the text says why, with the remedy."""


def until(attempt, seconds):
    """The result of the first attempt that does not raise NotYetError. Raises StepError with the last reason."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except NotYetError as error:
            if time.monotonic() >= deadline:
                raise StepError(f"after {seconds} s, {error}") from error
        time.sleep(PAUSE_SECONDS)
