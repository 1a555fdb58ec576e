# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_metrics
short_description: List the metrics that scaling policies follow
version_added: 0.1.0
description:
  - Leaves out those that AWS publishes, and those of a fleet without instances, which could not have published any.
positional: fleet, serving
options:
  _input:
    description: The policies, as in C(ami_fleet_scaling_policies).
    type: list
    elements: dict
    required: true
  fleet:
    description: The name of the Auto Scaling group.
    type: str
    required: true
  serving:
    description: Whether the group has instances.
    type: bool
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: slipway.platform.cloudwatch_metric_info
"""

EXAMPLES = r"""
metrics: "{{ [{'name': 'memory', 'metric': 'memory', 'target': 70}] | slipway.platform.fleet_metrics('web', true) }}"
# => CWAgent mem_used_percent by AutoScalingGroupName web
"""

RETURN = r"""
_value:
  description: The metrics, each with C(namespace), C(name) and C(dimensions).
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_metrics": on_demand("plugin_utils.fleet_scaling.metrics")}
