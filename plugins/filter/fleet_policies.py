# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_policies
short_description: Make the arguments of the modules that write scaling policies
version_added: 0.1.0
description:
  - Creates the options of M(community.aws.autoscaling_policy), and for a policy with steps those of
    M(amazon.aws.cloudwatch_metric_alarm).
positional: fleet, region, target_groups, warmup
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
  region:
    description: The region of the group.
    type: str
    required: true
  target_groups:
    description: ARNs of its target groups.
    type: list
    elements: str
    required: true
  warmup:
    description: Seconds until the metrics of a new instance count.
    type: int
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: community.aws.autoscaling_policy
  - module: amazon.aws.cloudwatch_metric_alarm
"""

EXAMPLES = r"""
policies: "{{ wanted | slipway.platform.fleet_policies('web', 'eu-central-1', [], 300) }}"
vars:
  wanted: [{name: cpu, metric: cpu, target: 60}]
# => one policy, "web cpu", which tracks the average CPU utilization
"""

RETURN = r"""
_value:
  description: For each policy, the options as C(policy), and those of its alarm, if it has one, as C(alarm).
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_policies": on_demand("plugin_utils.fleet_scaling.policies")}
