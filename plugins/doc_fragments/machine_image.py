# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors


class ModuleDocFragment:
    """The options of all modules that decide what a machine image must not hold."""

    DOCUMENTATION = r"""
options:
  keep_keys_of:
    description: Users whose C(authorized_keys) may stay.
    type: list
    elements: str
    default: []
  keep_passwords_of:
    description:
      - Users whose password may stay, or who may have none.
      - M(slipway.platform.machine_image_seal) locks the passwords of all others. Their SSH keys still work.
    type: list
    elements: str
    default: []
"""
