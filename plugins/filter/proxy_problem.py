# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: proxy_problem
short_description: Say what is wrong with the addresses of proxies, before a host is asked
version_added: 0.1.0
description:
  - Accepts the addresses that dnf, dockerd and Python understand alike.
  - The sentence does not hold the address, because that may hold a password.
options:
  _input:
    description: Settings with the keys C(http), C(https) and C(no_proxy), all of them optional.
    type: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problem: "{{ {'https': 'proxy.example.com:3128'} | slipway.platform.proxy_problem }}"
# => docker_engine_proxy.https must be the address of a proxy: write http://proxy.example.com:3128 or ...
"""

RETURN = r"""
_value:
  description: A sentence, empty where nothing is wrong.
  type: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import proxy_address


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"proxy_problem": proxy_address.problem}
