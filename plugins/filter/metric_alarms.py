# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: metric_alarms
short_description: Create alarms for the dimensions that host_metrics publishes
version_added: 0.1.0
description:
  - Creates the options of M(amazon.aws.cloudwatch_metric_alarm).
  - An alarm whose dimensions differ from those of its metric never fires.
positional: namespace, identity
options:
  _input:
    description: The alarms, as in C(host_metrics_alarms).
    type: list
    elements: dict
    required: true
  namespace:
    description: The namespace of the metrics.
    type: str
    required: true
  identity:
    description: The values of the dimensions C(InstanceId) and C(AutoScalingGroupName).
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.cloudwatch_metric_alarm
"""

EXAMPLES = r"""
alarms: "{{ wanted | slipway.platform.metric_alarms('CWAgent', {'InstanceId': 'i-1'}) }}"
vars:
  wanted: [{metric: mem_used_percent, above: 90}]
# => one alarm, CWAgent/i-1/mem_used_percent, of the dimensions {InstanceId: i-1}
"""

RETURN = r"""
_value:
  description: >-
    The alarms, each with C(name), C(state), C(metric_name), C(dimensions), C(comparison), C(threshold), C(statistic),
    C(evaluation_periods) and C(actions).
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"metric_alarms": on_demand("plugin_utils.metric_alarms.alarms")}
