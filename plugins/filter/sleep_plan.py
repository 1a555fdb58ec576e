# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: sleep_plan
short_description: Plan which idle EC2 instances alarms stop, and which are started
version_added: 0.1.0
description:
  - The role instance_sleep calls it after each answer of AWS, with all that is known by then.
positional: instances
options:
  _input:
    description: The settings of the role instance_sleep, without their prefix.
    type: dict
    required: true
  instances:
    description: The instances that C(filters) of the plan finds, as M(amazon.aws.ec2_instance_info) returns them.
    type: list
    elements: dict
    default: []
  details:
    description: The C(candidates) of the plan with their attribute C(disableApiStop), by the same module.
    type: list
    elements: dict
    default: []
  spot_requests:
    description: Requests of the plan's C(spot), as M(amazon.aws.ec2_spot_instance_info) returns them.
    type: list
    elements: dict
    default: []
  alarms:
    description: >-
      Alarms with the plan's C(prefix), as M(amazon.aws.cloudwatch_metric_alarm_info) returns them.
    type: list
    elements: dict
    default: []
  history:
    description: >-
      What M(slipway.platform.cloudwatch_metric_history_info) returns for the plan's C(metrics), V(none) for no report
      of the past.
    type: dict
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.cloudwatch_metric_alarm
  - module: slipway.platform.cloudwatch_metric_history_info
"""

EXAMPLES = r"""
started: "{{ (settings | slipway.platform.sleep_plan(found.instances)).sleeping }}"
# => ["i-0123456789abcdef0"]
"""

RETURN = r"""
_value:
  description: >-
    The plan, with C(filters), C(prefix), C(spot), C(candidates), C(metrics), C(alarms) to write or delete, C(sleeping)
    instances to start, and the sentences of a C(report).
  type: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"sleep_plan": on_demand("plugin_utils.instance_sleep.plan")}
