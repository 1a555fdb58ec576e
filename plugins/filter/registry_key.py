# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: registry_key
short_description: Return the key under which the docker command stores a registry's credentials
version_added: 0.1.0
description:
  - Every spelling of Docker Hub maps to the one key that is used for pulls.
options:
  _input:
    description: The address of a registry.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: slipway.platform.docker_login
"""

EXAMPLES = r"""
key: "{{ 'docker.io' | slipway.platform.registry_key }}"
# => https://index.docker.io/v1/
"""

RETURN = r"""
_value:
  description: The key.
  type: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"registry_key": on_demand("module_utils.registry.names.key_of")}
