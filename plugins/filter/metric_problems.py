# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: metric_problems
short_description: Say what could be neither published nor watched, before a host is asked
version_added: 0.1.0
description:
  - Finds what is wrong with the variables of the role host_metrics, beyond their types and choices.
positional: provider, mounts, agent_rpm, region, identity, endpoint
options:
  _input:
    description: The alarms, as in C(host_metrics_alarms).
    type: list
    elements: dict
    required: true
  provider:
    description: Who publishes.
    type: str
    required: true
  mounts:
    description: Mount points that are read.
    type: list
    elements: str
    required: true
  agent_rpm:
    description: Address and checksum of the agent's package, empty for that of a repository.
    type: dict
    required: true
  region:
    description: Region of metrics and alarms, empty for that of the instance.
    type: str
    required: true
  identity:
    description: The values of the dimensions C(InstanceId) and C(AutoScalingGroupName), empty where unknown.
    type: dict
    required: true
  endpoint:
    description: Address of CloudWatch, empty for AWS' usual one.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ [] | slipway.platform.metric_problems('script', [], {}, '', {}, '') }}"
# => ['host_metrics_mounts is empty: name mount points, or "*" for all.']
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import metric_alarms


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"metric_problems": metric_alarms.problems}
