# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_state_problems
short_description: Say why instances could not be launched, from what AWS has
version_added: 0.1.0
description:
  - Finds a region, a parameter, an image, a profile, a subnet or a security group that is not there, and a root device
    that would be smaller than the image's.
positional: state
options:
  _input:
    description: What is wanted, as C(__ami_fleet_request) of the role ami_fleet.
    type: dict
    required: true
  state:
    description: What AWS answered, as C(__ami_fleet_state) of the role.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ __ami_fleet_request | slipway.platform.fleet_state_problems(__ami_fleet_state) }}"
# => ["subnet subnet-0123456789abcdef0 does not exist in eu-central-1"]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import fleet_state


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"fleet_state_problems": fleet_state.problems}
