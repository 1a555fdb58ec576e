# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: proxy_for
short_description: Choose the proxy that leads to an address
version_added: 0.1.0
description:
  - Goes by the scheme of the address, and by the names and domains of C(no_proxy).
positional: url
options:
  _input:
    description: Settings with the keys C(http), C(https) and C(no_proxy), all of them optional.
    type: dict
    required: true
  url:
    description: The address to be reached.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
proxy: "{{ {'https': 'http://proxy.example.com:3128'} | slipway.platform.proxy_for('https://download.docker.com') }}"
# => http://proxy.example.com:3128
"""

RETURN = r"""
_value:
  description: The address of the proxy, empty for what is reached directly.
  type: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import proxy_address


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"proxy_for": proxy_address.proxy_for}
