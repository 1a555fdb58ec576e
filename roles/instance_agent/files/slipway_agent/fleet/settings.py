# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the settings of an instance in a fleet, which the role docker_firstboot writes."""

import json
from collections import namedtuple

from slipway_agent.aws.errors import AwsError

# An empty endpoint is the default one of AWS. health_checks: failed checks in a row after which the engine counts as
# dead. health_share: percentage of the group. drain_units: units to stop after the containers, in order.
Settings = namedtuple(
    "Settings",
    [
        "metadata_endpoint",
        "endpoint",
        "health_checks",
        "health_share",
        "drain_seconds",
        "drain_units",
        "poll_seconds",
    ],
)


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return Settings(**json.load(file))
    except OSError as error:
        raise AwsError(f"{path} cannot be read ({error.strerror}): run the role docker_firstboot again") from error
    except (ValueError, TypeError) as error:
        raise AwsError(f"{path} is malformed: run the role docker_firstboot again") from error
