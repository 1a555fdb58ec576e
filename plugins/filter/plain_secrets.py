# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: plain_secrets
short_description: Report apparent secrets in settings that anyone can read
version_added: 0.1.0
description:
  - Recognizes secrets by their format, as M(slipway.platform.machine_image_check) does, and by typical names.
  - The secret itself is not returned.
options:
  _input:
    description: Settings, with any nesting.
    type: raw
    required: true
author:
  - Slipway contributors (@slipway)
seealso:
  - module: slipway.platform.machine_image_check
"""

EXAMPLES = r"""
found: "{{ {'users': [{'name': 'ops', 'passwd': 'x'}]} | slipway.platform.plain_secrets }}"
# => [a value for passwd]
"""

RETURN = r"""
_value:
  description: A phrase for each apparent secret.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"plain_secrets": on_demand("plugin_utils.plain_secrets.find")}
