# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_drift
short_description: List the settings of an Auto Scaling group that differ
version_added: 0.1.0
description:
  - Compares the result of M(amazon.aws.autoscaling_group_info) with the wanted settings.
positional: wanted
options:
  _input:
    description: The group, an empty dictionary if there is none.
    type: dict
    required: true
  wanted:
    description: The wanted settings, as C(__ami_fleet_wanted) of the role ami_fleet.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.autoscaling_group_info
"""

EXAMPLES = r"""
drift: "{{ group | slipway.platform.fleet_drift({'min_size': 2, 'version': '7'}) }}"
# => ["version"]
"""

RETURN = r"""
_value:
  description: Names of the settings.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_drift": on_demand("plugin_utils.fleet_state.drift")}
