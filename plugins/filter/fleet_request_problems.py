# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: fleet_request_problems
short_description: Say what is wrong with a wish for a fleet, before AWS is asked
version_added: 0.1.0
description:
  - Finds names, ids and sizes that AWS would refuse, and secrets in user data.
options:
  _input:
    description: What is wanted, as C(__ami_fleet_request) of the role ami_fleet.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ __ami_fleet_request | slipway.platform.fleet_request_problems }}"
# => ["'sg-web' in ami_fleet_security_groups is malformed: write an id, as in sg-0123456789abcdef0"]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import fleet_request


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"fleet_request_problems": fleet_request.problems}
