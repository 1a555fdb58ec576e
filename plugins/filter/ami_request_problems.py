# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_request_problems
short_description: Say what is wrong with a wish to publish an image, before AWS is asked
version_added: 0.1.0
description:
  - Finds names, accounts, regions and keys that AWS would refuse when half of the work is done.
options:
  _input:
    description: What is to be published, as C(__ami_publish_request) of the role ami_publish.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ __ami_publish_request | slipway.platform.ami_request_problems }}"
# => ["'11112222333' in ami_publish_accounts is no account of AWS: write its 12 digits in quotes"]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import ami_request


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"ami_request_problems": ami_request.problems}
