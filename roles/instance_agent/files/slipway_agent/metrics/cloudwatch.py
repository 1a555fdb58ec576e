# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Publishes readings to CloudWatch with the dimensions that the CloudWatch agent uses."""

from slipway_agent.aws import service
from slipway_agent.aws.errors import AwsError

SERVICE = service.Service("monitoring", "GraniteServiceVersion20100801", "1.0")
ACTION = "PutMetricData"
# CloudWatch accepts at most 1000 metrics per request.
LARGEST_BATCH = 1000
LONGEST_DIMENSION = 1024


def dimension_sets(dimensions, aggregations):
    """Return all dimensions, and each aggregation by a subset of them. CloudWatch treats each set as a metric."""
    return [dimensions] + [
        {name: dimensions[name] for name in names}
        for names in aggregations
        if len(names) < len(dimensions) and set(names) <= set(dimensions)
    ]


def is_dimension(value):
    """Return whether CloudWatch accepts this as the value of a dimension; else it refuses the whole request."""
    return (
        0 < len(value) <= LONGEST_DIMENSION
        and all(" " <= character <= "~" for character in value)
        and not value.startswith(":")
        and bool(value.strip())
    )


def publishable(readings):
    """Return the readings that CloudWatch accepts, and a message for each mount that is left out."""
    good = [reading for reading in readings if all(is_dimension(value) for value in reading.dimensions.values())]
    left_out = {reading.dimensions["path"] for reading in readings if reading not in good}
    return good, [
        f"{ascii(path)[1:-1]} is not published: CloudWatch accepts up to {LONGEST_DIMENSION} printable ASCII "
        "characters, so mount it elsewhere, or list other mounts in host_metrics_mounts"
        for path in sorted(left_out)
    ]


def data(readings, identity, aggregations, moment):
    """Return the MetricData of PutMetricData. identity: dimensions of the instance. moment: seconds since 1970."""
    return [
        {
            "MetricName": reading.name,
            "Unit": reading.unit,
            "Value": reading.value,
            "Timestamp": moment,
            "Dimensions": [{"Name": name, "Value": dimensions[name]} for name in sorted(dimensions)],
        }
        for reading in readings
        for dimensions in dimension_sets(dict(identity, **reading.dimensions), aggregations)
    ]


def publish(metrics, namespace, region, credentials, endpoint):
    """Send all metrics. A throttled request is not repeated, because the next run has newer readings."""
    for start in range(0, len(metrics), LARGEST_BATCH):
        message = {"Namespace": namespace, "MetricData": metrics[start : start + LARGEST_BATCH]}
        try:
            service.call(SERVICE, ACTION, message, region, credentials, endpoint)
        except service.ServiceError as error:
            raise AwsError(message_of(error, namespace, region, credentials.role)) from error


def message_of(error, namespace, region, role):
    if error.code.startswith("AccessDenied"):
        return (
            f"the role {role} is not allowed to call cloudwatch:{ACTION} for the namespace {namespace} in {region}: "
            f"allow it in the role's policy ({error})"
        )
    if error.code in service.THROTTLED:
        return (
            f"CloudWatch in {region} throttles requests ({error}): these readings are lost, the next run sends new ones"
        )
    return f"cloudwatch:{ACTION} for the namespace {namespace} in {region} failed ({error})"
