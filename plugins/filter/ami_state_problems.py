# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: ami_state_problems
short_description: Say why an image cannot be published, from what AWS has
version_added: 0.1.0
description:
  - Finds regions, sources and keys that do not exist, images of that name that are others, and keys that cannot be
    shared.
positional: regions, source, images, keys
options:
  _input:
    description: What is to be published, as C(__ami_publish_request) of the role ami_publish.
    type: dict
    required: true
  regions:
    description: Names of the regions that the account may use.
    type: list
    elements: str
    required: true
  source:
    description: What is to be published, as AWS describes it.
    type: dict
    required: true
  images:
    description: Own images of the name, by region.
    type: dict
    required: true
  keys:
    description: Results of a loop of M(amazon.aws.kms_key_info) over pairs of region and key.
    type: list
    elements: dict
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
problems: "{{ request | slipway.platform.ami_state_problems(['eu-central-1'], instance, {}, []) }}"
# => ["region 'mars-1' does not exist, or the account has not enabled it: it may use eu-central-1"]
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import ami_state


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"ami_state_problems": ami_state.problems}
