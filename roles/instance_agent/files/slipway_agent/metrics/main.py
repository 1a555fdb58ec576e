# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Implements slipway-metrics, which publishes the metrics of this instance once. A timer runs it."""

import json
import sys
import time
from collections import namedtuple

from slipway_agent.aws.errors import AwsError
from slipway_agent.aws.imds import Metadata
from slipway_agent.metrics import cloudwatch, readings

GROUP = "AutoScalingGroupName"

# An empty group or region is read from the instance metadata. An empty endpoint is the default one of AWS.
Settings = namedtuple(
    "Settings",
    [
        "namespace",
        "mounts",
        "ignored_file_systems",
        "aggregations",
        "group",
        "region",
        "endpoint",
        "metadata_endpoint",
    ],
)


def publish(settings):
    """Publish all readings that succeed, then raise AwsError if others failed."""
    taken, problems = readings.take(settings.mounts, settings.ignored_file_systems)
    taken, left_out = cloudwatch.publishable(taken)
    if settings.mounts == [readings.ALL]:
        for message in left_out:  # which fails nothing, since nobody asked for it
            print(message, file=sys.stderr)
    else:
        problems += left_out
    metadata = Metadata(settings.metadata_endpoint)
    cloudwatch.publish(
        cloudwatch.data(taken, identity_of(metadata, settings.group), settings.aggregations, int(time.time())),
        settings.namespace,
        settings.region or metadata.region(),
        metadata.credentials(),
        settings.endpoint,
    )
    if problems:
        raise AwsError("\n".join(problems))


def identity_of(metadata, group):
    """Return the dimensions of this instance, with the group if it is set or the metadata include tags."""
    identity = {"InstanceId": metadata.instance_id()}
    group = group or metadata.tag("aws:autoscaling:groupName")
    if group and cloudwatch.is_dimension(group):
        identity[GROUP] = group
    return identity


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return Settings(**json.load(file))
    except OSError as error:
        raise AwsError(f"{path} cannot be read ({error.strerror}): run the role host_metrics again") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise AwsError(f"{path} is malformed: run the role host_metrics again") from error


def main(path):
    """Publish once and return the exit status. path: the settings."""
    try:
        publish(read(path))
        return 0
    except AwsError as error:
        print(error, file=sys.stderr)
        return 1
