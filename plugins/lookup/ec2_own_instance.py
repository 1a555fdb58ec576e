# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ec2_own_instance
short_description: Return the ID of the EC2 instance that the controller runs on
version_added: 0.1.0
description:
  - Reads it from the firmware, and where the firmware does not know it, from the metadata service.
  - Outside EC2 it asks nobody.
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.ec2_metadata_facts
"""

EXAMPLES = r"""
own: "{{ lookup('slipway.platform.ec2_own_instance') }}"
# => "i-0123456789abcdef0"
"""

RETURN = r"""
_raw:
  description: The ID, an empty text outside EC2, or V(unknown) on EC2 if neither names it.
  type: list
  elements: str
"""

from ansible.plugins.lookup import LookupBase
from ansible_collections.slipway.platform.plugins.plugin_utils.own_instance import own_instance


class LookupModule(LookupBase):
    """Takes no terms."""

    def run(self, terms, variables=None, **kwargs):
        return [own_instance()]
