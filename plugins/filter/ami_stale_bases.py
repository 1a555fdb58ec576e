# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_stale_bases
short_description: Tell which images stand on a base that is old, gone, deprecated, or superseded
version_added: 0.1.0
description:
  - Goes by the tag C(slipway:base).
positional: bases, days, newest
options:
  _input:
    description: The images, as M(amazon.aws.ec2_ami_info) tells them.
    type: list
    elements: dict
    required: true
  bases:
    description: Their bases, those that AWS shows, which hides what others have deprecated.
    type: list
    elements: dict
    required: true
  days:
    description: The age from which on a base is old.
    type: int
    required: true
  newest:
    description: What is baked from now.
    type: dict
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
stale: "{{ images | slipway.platform.ami_stale_bases(bases, 30) }}"
# => ["docker-el9-20260801 (ami-...) stands on ami-..., which is 45 days old"]
"""

RETURN = r"""
_value:
  description: A sentence for each.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import ami_bases


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"ami_stale_bases": ami_bases.stale}
