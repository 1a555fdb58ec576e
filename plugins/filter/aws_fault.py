# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: aws_fault
short_description: Say in one sentence why AWS could not be asked
version_added: 0.1.0
description:
  - Tells a missing boto3, missing or refused credentials, a missing permission, and a region that does not answer.
positional: region
options:
  _input:
    description: The result of the failed task.
    type: dict
    required: true
  region:
    description: The region that was asked.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
msg: "{{ ansible_failed_result | slipway.platform.aws_fault('eu-central-1') }}"
# => "there are no credentials for AWS: ..."
"""

RETURN = r"""
_value:
  description: The sentence, without its full stop.
  type: str
"""

from ansible_collections.slipway.platform.plugins.module_utils import aws_fault


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"aws_fault": aws_fault.sentence}
