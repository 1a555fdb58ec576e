# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_stale_bases
short_description: Report AMIs whose base is old, missing, deprecated, or superseded
version_added: 0.1.0
description:
  - The base of an AMI is in its tag C(slipway:base).
positional: bases, days, newest
options:
  _input:
    description: The AMIs, as M(amazon.aws.ec2_ami_info) returns them.
    type: list
    elements: dict
    required: true
  bases:
    description: Their bases. AWS does not return those that another account has deprecated.
    type: list
    elements: dict
    required: true
  days:
    description: The age in days at which a base counts as old.
    type: int
    required: true
  newest:
    description: The base of new AMIs.
    type: dict
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.ec2_ami_info
"""

EXAMPLES = r"""
stale: "{{ images | slipway.platform.ami_stale_bases(bases, 30) }}"
# => ["docker-el9-20260801 (ami-...) is based on ami-..., which is 45 days old"]
"""

RETURN = r"""
_value:
  description: A sentence for each such AMI.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"ami_stale_bases": on_demand("plugin_utils.ami_bases.stale")}
