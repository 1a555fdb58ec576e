# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_resources
short_description: List images and the snapshots that they stand on
version_added: 0.1.0
description:
  - Flattens what M(amazon.aws.ec2_ami_info) tells.
positional: kinds
options:
  _input:
    description: Images by region.
    type: dict
    required: true
  kinds:
    description: What to list, V(image) and V(snapshot).
    type: list
    elements: str
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
snapshots: "{{ images | slipway.platform.ami_resources(['snapshot']) }}"
# => [{"region": "eu-central-1", "id": "snap-...", "kind": "snapshot"}]
"""

RETURN = r"""
_value:
  description: Each with C(region), C(id) and C(kind).
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.module_utils import ami_images


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"ami_resources": ami_images.resources}
