# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_stale
short_description: List the instances of an auto scaling group that would not be launched so today
version_added: 0.1.0
description:
  - Compares each instance's version of the launch template and its image. Instances that end already do not count.
positional: instances, version, image
options:
  _input:
    description: The group, as M(amazon.aws.autoscaling_group_info) tells it.
    type: dict
    required: true
  instances:
    description: Its instances, as M(amazon.aws.ec2_instance_info) tells them.
    type: list
    elements: dict
    required: true
  version:
    description: Version of the launch template that is wanted.
    type: str
    required: true
  image:
    description: Image that is wanted.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
stale: "{{ group | slipway.platform.fleet_stale(instances, '7', 'ami-0123456789abcdef0') }}"
# => ["i-0123456789abcdef0"]
"""

RETURN = r"""
_value:
  description: Ids of instances.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import fleet_state


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"fleet_stale": fleet_state.stale}
