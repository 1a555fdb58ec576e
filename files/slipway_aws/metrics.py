# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The command slipway-metrics: publishes once what this instance has of memory and disks. A timer runs it."""

import json
import sys
import time
from collections import namedtuple

from slipway_aws import cloudwatch, readings
from slipway_aws.errors import AwsError
from slipway_aws.imds import Metadata

GROUP = "AutoScalingGroupName"

# group, region and endpoint are empty where the instance's metadata and AWS' usual address do.
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
    """Publish what can be read; raise AwsError for what cannot."""
    taken, problems = readings.take(settings.mounts, settings.ignored_file_systems)
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
    """The dimensions of this instance; the group is known where it is named, or where metadata have the tags."""
    identity = {"InstanceId": metadata.instance_id()}
    group = group or metadata.tag("aws:autoscaling:groupName")
    if group:
        identity[GROUP] = group
    return identity


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return Settings(**json.load(file))
    except OSError as error:
        raise AwsError(f"{path} cannot be read ({error.strerror}): run role host_metrics again") from error
    except (ValueError, TypeError) as error:
        raise AwsError(f"{path} is damaged: run role host_metrics again") from error


def main(path):
    """Publish once; return the exit status."""
    try:
        publish(read(path))
        return 0
    except AwsError as error:
        print(error, file=sys.stderr)
        return 1
