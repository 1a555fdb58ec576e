#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: cloudwatch_metric_history_info
short_description: Gather when metrics of CloudWatch were below a level
version_added: 0.1.0
description:
  - Compares the statistics of each period with a level, as an alarm would have done.
  - No module of amazon.aws returns statistics of metrics.
options:
  metrics:
    description: The metrics and their levels.
    type: list
    elements: dict
    required: true
    suboptions:
      namespace:
        description: The namespace of the metric.
        type: str
        required: true
      name:
        description: The name of the metric.
        type: str
        required: true
      dimensions:
        description: All dimensions of the metric, and their values.
        type: dict
        default: {}
      statistic:
        description: The statistic of each period.
        type: str
        choices: [SampleCount, Average, Sum, Minimum, Maximum]
        default: Average
      below:
        description: The level.
        type: float
        required: true
  period:
    description: Length of a period in seconds, a multiple of 60.
    type: int
    default: 300
  days:
    description: The number of days to look back. CloudWatch keeps periods of less than five minutes for 15 days.
    type: int
    default: 7
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - slipway.platform.attributes.info
  - slipway.platform.attributes.aws
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.cloudwatch_metric_alarm
  - module: slipway.platform.cloudwatch_metric_info
"""

EXAMPLES = r"""
- name: Gather when an instance had little to do
  slipway.platform.cloudwatch_metric_history_info:
    metrics:
      - namespace: AWS/EC2
        name: CPUUtilization
        dimensions: {InstanceId: i-0123456789abcdef0}
        below: 5
    region: eu-central-1
"""

RETURN = r"""
start:
  description: The beginning of the first period, in seconds since 1970 UTC.
  returned: success
  type: int
histories:
  description: >-
    For each metric in order, a text with a character for each period: V(1) below the level, V(0) not, V(-) without
    data.
  returned: success
  type: list
  elements: str
  sample: ["--0011"]
"""

import datetime
import time
from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import explained

with suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import BotoCoreError, ClientError

# Metrics in one request. Source: GetMetricData in botocore 1.44.
MOST = 500


def query(number, metric, period):
    dimensions = [{"Name": name, "Value": str(value)} for name, value in metric["dimensions"].items()]
    named = {"Namespace": metric["namespace"], "MetricName": metric["name"], "Dimensions": dimensions}
    return {
        "Id": "m{0}".format(number),
        "MetricStat": {"Metric": named, "Period": period, "Stat": metric["statistic"]},
    }


def histories(client, metrics, start, end, period):
    """Return the text of each metric. start, end: in seconds, multiples of the period."""
    texts = [["-"] * ((end - start) // period) for _ in metrics]
    for first in range(0, len(metrics), MOST):
        queries = [query(number, metric, period) for number, metric in enumerate(metrics)][first : first + MOST]
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=moment(start), EndTime=moment(end)
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                number = int(result["Id"][1:])
                for entry, stamp in enumerate(result["Timestamps"]):
                    low = result["Values"][entry] < metrics[number]["below"]
                    texts[number][int(stamp.timestamp() - start) // period] = "1" if low else "0"
    return ["".join(text) for text in texts]


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


@explained
def main():
    module = AnsibleAWSModule(
        argument_spec={
            "metrics": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "namespace": {"type": "str", "required": True},
                    "name": {"type": "str", "required": True},
                    "dimensions": {"type": "dict", "default": {}},
                    "statistic": {
                        "type": "str",
                        "choices": ["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
                        "default": "Average",
                    },
                    "below": {"type": "float", "required": True},
                },
            },
            "period": {"type": "int", "default": 300},
            "days": {"type": "int", "default": 7},
        },
        supports_check_mode=True,
    )
    period = module.params["period"]
    if period < 60 or period % 60 or module.params["days"] < 1:
        module.fail_json(msg="period must be 60 s or a multiple of it, and days at least 1")
    end = int(time.time()) // period * period
    start = end - module.params["days"] * 86400 // period * period
    try:
        found = histories(module.client("cloudwatch"), module.params["metrics"], start, end, period)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The statistics of the metrics cannot be read")
    module.exit_json(changed=False, start=start, histories=found)


if __name__ == "__main__":
    main()
