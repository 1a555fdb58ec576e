#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: cloudwatch_metric_info
short_description: Gather whether metrics are published to CloudWatch
version_added: 0.1.0
description:
  - Returns those of the given metrics that have had data in the last two weeks, with exactly the given dimensions.
  - An alarm or a scaling policy on any other metric never acts, and no module of amazon.aws lists metrics.
options:
  metrics:
    description: The metrics to look for.
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
"""

EXAMPLES = r"""
- name: Look for the memory of a group's instances
  slipway.platform.cloudwatch_metric_info:
    metrics:
      - namespace: CWAgent
        name: mem_used_percent
        dimensions: {AutoScalingGroupName: docker-web}
    region: eu-central-1
"""

RETURN = r"""
missing:
  description: The metrics that nobody has published, each with C(namespace), C(name) and C(dimensions).
  returned: success
  type: list
  elements: dict
"""

from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import explained

with suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import BotoCoreError, ClientError


def is_published(client, metric):
    """Whether a metric with these dimensions and no others exists; the request also finds those with more."""
    wanted = {name: str(value) for name, value in metric["dimensions"].items()}
    pages = client.get_paginator("list_metrics").paginate(
        Namespace=metric["namespace"],
        MetricName=metric["name"],
        Dimensions=[{"Name": name, "Value": value} for name, value in wanted.items()],
    )
    return any(
        {dimension["Name"]: dimension["Value"] for dimension in found["Dimensions"]} == wanted
        for page in pages
        for found in page["Metrics"]
    )


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
                },
            }
        },
        supports_check_mode=True,
    )
    try:
        client = module.client("cloudwatch")
        missing = [metric for metric in module.params["metrics"] if not is_published(client, metric)]
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The metrics cannot be listed")
    module.exit_json(changed=False, missing=missing)


if __name__ == "__main__":
    main()
