# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors


class ModuleDocFragment:
    """The option proxy, except for what uses it: a module describes that itself."""

    DOCUMENTATION = r"""
options:
  proxy:
    type: dict
    default: {}
    suboptions:
      http:
        description: The proxy for HTTP, as a URL, with credentials if needed.
        type: str
      https:
        description: The proxy for HTTPS, as a URL, with credentials if needed.
        type: str
      no_proxy:
        description: Hosts, domains and networks that are reached directly.
        type: list
        elements: str
"""
