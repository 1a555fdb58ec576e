# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: key_fingerprints
short_description: List the fingerprints of OpenPGP public keys
version_added: 0.1.0
description:
  - Lists primary keys only. Fails if a text is not a public key.
options:
  _input:
    description: Armored public keys.
    type: list
    elements: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
fingerprints: "{{ [lookup('ansible.builtin.file', 'keys/ops.asc')] | slipway.platform.key_fingerprints }}"
# => ["0123456789ABCDEF0123456789ABCDEF01234567"]
"""

RETURN = r"""
_value:
  description: Fingerprints, in upper-case hexadecimal.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"key_fingerprints": on_demand("plugin_utils.pulled_playbook.fingerprints")}
