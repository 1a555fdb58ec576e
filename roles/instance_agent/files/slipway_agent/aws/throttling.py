# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Repeats requests that a service throttles, for a few seconds."""

import random
import time

from slipway_agent.aws import service

# Upper limits of the random pauses before a throttled request is sent again. They are short because docker waits, and
# random so that a fleet that pulls at the same time does not retry at the same time.
PAUSES_SECONDS = (0.5, 1, 2)


def call(*request):
    """Return the output of service.call, which takes the same arguments; repeat the request while it is throttled."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            return service.call(*request)
        except service.ServiceError as error:
            if error.code not in service.THROTTLED or pause is None:
                raise
        time.sleep(random.uniform(pause / 2, pause))
    raise AssertionError("the last attempt returns or raises")
