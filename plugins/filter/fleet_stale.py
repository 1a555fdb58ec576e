# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_stale
short_description: List the outdated instances of an Auto Scaling group
version_added: 0.1.0
description:
  - An instance is outdated if its version of the launch template or its AMI differs. Terminating instances are ignored.
positional: instances, version, image
options:
  _input:
    description: The group, as M(amazon.aws.autoscaling_group_info) returns it.
    type: dict
    required: true
  instances:
    description: Its instances, as M(amazon.aws.ec2_instance_info) returns them.
    type: list
    elements: dict
    required: true
  version:
    description: The wanted version of the launch template.
    type: str
    required: true
  image:
    description: The wanted AMI.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.autoscaling_group_info
  - module: amazon.aws.autoscaling_instance_refresh
"""

EXAMPLES = r"""
stale: "{{ group | slipway.platform.fleet_stale(instances, '7', 'ami-0123456789abcdef0') }}"
# => ["i-0123456789abcdef0"]
"""

RETURN = r"""
_value:
  description: IDs of the instances.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"fleet_stale": on_demand("plugin_utils.fleet_state.stale")}
