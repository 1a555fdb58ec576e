# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_is_whole
short_description: Tell whether an Auto Scaling group has replaced an instance
version_added: 0.1.0
description:
  - A group is whole when it has as many healthy instances in service as it should have.
positional: lost
options:
  _input:
    description: The group, as M(amazon.aws.autoscaling_group_info) returns it.
    type: dict
    required: true
  lost:
    description: ID of the instance to replace.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.autoscaling_group_info
"""

EXAMPLES = r"""
whole: "{{ group | slipway.platform.fleet_is_whole('i-0123456789abcdef0') }}"
# => true, if others serve in its place
"""

RETURN = r"""
_value:
  description: Whether the group is whole without the instance.
  type: bool
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_is_whole": on_demand("plugin_utils.fleet_drill.is_whole")}
