# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: clear_text_endpoints
short_description: Select the endpoints of AWS services that would be used without encryption
version_added: 0.1.0
description:
  - An endpoint is safe if it starts with C(https://), or refers to the host itself.
options:
  _input:
    description: The URLs of the endpoints, empty for the default one.
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
  description: The endpoints that are not safe.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"clear_text_endpoints": on_demand("plugin_utils.endpoints.unencrypted")}
