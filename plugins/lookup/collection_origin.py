# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: collection_origin
short_description: Return the version and the commit of this collection
version_added: 0.1.0
description:
  - Reads them on the controller. An installed collection has no commit, nor has a clone if git is not installed.
author:
  - Slipway contributors (@slipway)
seealso:
  - module: slipway.platform.machine_image_manifest
"""

EXAMPLES = r"""
made_by: "{{ lookup('slipway.platform.collection_origin').version }}"
"""

RETURN = r"""
_raw:
  description: C(version) and C(commit), which ends with V(-dirty) if tracked files have been changed since.
  type: list
  elements: dict
"""

import os

from ansible.plugins.lookup import LookupBase
from ansible_collections.slipway.platform.plugins.plugin_utils.collection_origin import origin

COLLECTION = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))


class LookupModule(LookupBase):
    """Takes no terms."""

    def run(self, terms, variables=None, **kwargs):
        return [origin(COLLECTION)]
