# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: collection_origin
short_description: Tell the version and the commit of this collection
version_added: 0.1.0
description:
  - Looks on the controller. An installed collection, and a clone without git, have no commit.
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
made_by: "{{ lookup('slipway.platform.collection_origin').version }}"
"""

RETURN = r"""
_raw:
  description: C(version) and C(commit), which ends with V(-dirty) where tracked files were changed since.
  type: list
  elements: dict
"""

import os

from ansible.plugins.lookup import LookupBase
from ansible_collections.slipway.platform.plugins.module_utils.collection_origin import origin

COLLECTION = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))


class LookupModule(LookupBase):
    """Takes no terms."""

    def run(self, terms, variables=None, **kwargs):
        return [origin(COLLECTION)]
