# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Publishes readings to CloudWatch, with the dimensions that the CloudWatch agent gives them."""

from slipway_aws import service
from slipway_aws.errors import AwsError

SERVICE = service.Service("monitoring", "GraniteServiceVersion20100801", "1.0")
ACTION = "PutMetricData"
# CloudWatch takes 1000 in one request.
LARGEST_BATCH = 1000


def dimension_sets(dimensions, aggregations):
    """All dimensions, and each aggregation by some of them; each set is a metric of its own, which alarms name."""
    return [dimensions] + [
        {name: dimensions[name] for name in names}
        for names in aggregations
        if len(names) < len(dimensions) and set(names) <= set(dimensions)
    ]


def data(readings, identity, aggregations, moment):
    """What PutMetricData takes, of one moment in seconds since 1970; identity: the dimensions of the instance."""
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
    """Send all data. What is throttled is not sent again: the next reading is newer."""
    for start in range(0, len(metrics), LARGEST_BATCH):
        message = {"Namespace": namespace, "MetricData": metrics[start : start + LARGEST_BATCH]}
        try:
            service.call(SERVICE, ACTION, message, region, credentials, endpoint)
        except service.ServiceError as error:
            raise AwsError(sentence_of(error, namespace, region, credentials.role)) from error


def sentence_of(error, namespace, region, role):
    if error.code.startswith("AccessDenied"):
        return (
            f"the role {role} may not do cloudwatch:{ACTION} in the namespace {namespace} of {region}: allow it in the "
            f"role's policy ({error})"
        )
    if error.code in service.THROTTLED:
        return f"CloudWatch in {region} is asked too often ({error}): these readings are lost, the next ones are tried"
    return f"cloudwatch:{ACTION} in the namespace {namespace} of {region} is refused ({error})"
