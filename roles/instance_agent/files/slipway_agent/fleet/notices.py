# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads from the instance metadata that this instance is about to end."""

import datetime
import json

from slipway_agent.aws.autoscaling import TARGET_STATE

TERMINATED = "Terminated"
SPOT = "spot/instance-action"
REBALANCE = "events/recommendations/rebalance"
# How long before the interruption of a Spot instance AWS says so, and what is left of it for the end of the machine.
SPOT_SECONDS = 120
SPOT_MARGIN = 15


def is_terminating(metadata):
    """Return whether the group terminates this instance."""
    return metadata.read(TARGET_STATE) == TERMINATED


def interruption(metadata, now):
    """Return the seconds until AWS takes this Spot instance away, or None. now: a datetime in UTC."""
    text = metadata.read(SPOT)
    if not text:
        return None
    try:
        notice = json.loads(text)
        if notice["action"] != "terminate":
            return None  # the instance is stopped or hibernates, and returns
        end = datetime.datetime.strptime(notice["time"], "%Y-%m-%dT%H:%M:%SZ")
        left = (end.replace(tzinfo=datetime.timezone.utc) - now).total_seconds()
    except (ValueError, KeyError, TypeError):
        left = SPOT_SECONDS
    # A time outside these limits tells of a wrong clock.
    return max(0, (left if 0 < left <= SPOT_SECONDS else SPOT_SECONDS) - SPOT_MARGIN)


def is_at_risk(metadata):
    """Return whether AWS recommends to replace this Spot instance."""
    return metadata.read(REBALANCE) is not None
