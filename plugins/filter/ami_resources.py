# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_resources
short_description: List AMIs and their snapshots
version_added: 0.1.0
description:
  - Flattens the results of M(amazon.aws.ec2_ami_info).
positional: kinds
options:
  _input:
    description: AMIs by region.
    type: dict
    required: true
  kinds:
    description: Kinds of resources to list, V(image) and V(snapshot).
    type: list
    elements: str
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.ec2_ami_info
"""

EXAMPLES = r"""
snapshots: "{{ images | slipway.platform.ami_resources(['snapshot']) }}"
# => [{"region": "eu-central-1", "id": "snap-...", "kind": "snapshot"}]
"""

RETURN = r"""
_value:
  description: The resources, each with C(region), C(id) and C(kind).
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"ami_resources": on_demand("plugin_utils.ami_images.resources")}
