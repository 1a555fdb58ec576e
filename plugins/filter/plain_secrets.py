# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: plain_secrets
short_description: Say what looks like a secret in settings that everybody may read
version_added: 0.1.0
description:
  - Knows secrets by their form, as M(slipway.platform.image_check) does, and by the names under which they stand.
  - The secret itself is not told.
options:
  _input:
    description: Settings, nested as they may be.
    type: raw
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
found: "{{ {'users': [{'name': 'ops', 'passwd': 'x'}]} | slipway.platform.plain_secrets }}"
# => [a value for passwd]
"""

RETURN = r"""
_value:
  description: What was found, nothing where there is none.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import plain_secrets


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"plain_secrets": plain_secrets.find}
