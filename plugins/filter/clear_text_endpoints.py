# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: clear_text_endpoints
short_description: Find the addresses of services of AWS that would be asked in clear text
version_added: 0.1.0
description:
  - An address is private when it begins with C(https://), or leads to the host itself.
options:
  _input:
    description: The addresses, empty for AWS' usual one.
    type: list
    elements: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
unsafe: "{{ ['', 'https://a.example.com', 'http://b.example.com'] | slipway.platform.clear_text_endpoints }}"
# => ['http://b.example.com']
"""

RETURN = r"""
_value:
  description: Those of the addresses that are not private.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import endpoint_address


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"clear_text_endpoints": endpoint_address.in_clear}
