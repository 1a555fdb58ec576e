# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_drift
short_description: Name what differs between an auto scaling group and what is wanted
version_added: 0.1.0
description:
  - Compares what M(amazon.aws.autoscaling_group_info) tells.
positional: wanted
options:
  _input:
    description: The group, an empty one where there is none.
    type: dict
    required: true
  wanted:
    description: What is wanted, as C(__ami_fleet_wanted) of the role ami_fleet.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
drift: "{{ group | slipway.platform.fleet_drift({'min_size': 2, 'version': '7'}) }}"
# => ["version"]
"""

RETURN = r"""
_value:
  description: What differs.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import fleet_state


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"fleet_drift": fleet_state.drift}
