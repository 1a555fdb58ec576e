# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_size
short_description: Choose between a size that a schedule has set and the fleet's own
version_added: 0.1.0
description:
  - Returns the present size of the group if one of the schedules sets it, so that a run does not undo what a schedule
    did.
positional: schedules, name, own
options:
  _input:
    description: The group, as M(amazon.aws.autoscaling_group_info) returns it, an empty dictionary if there is none.
    type: dict
    required: true
  schedules:
    description: The schedules, as in C(ami_fleet_schedules).
    type: list
    elements: dict
    required: true
  name:
    description: Which size, V(min_size) or V(max_size).
    type: str
    required: true
  own:
    description: The size without schedules.
    type: int
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: community.aws.autoscaling_scheduled_action
"""

EXAMPLES = r"""
least: "{{ {'min_size': 0} | slipway.platform.fleet_size([{'name': 'night', 'min_size': 0}], 'min_size', 2) }}"
# => 0
"""

RETURN = r"""
_value:
  description: The size.
  type: int
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_size": on_demand("plugin_utils.fleet_scaling.size")}
