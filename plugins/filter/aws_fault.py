# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: aws_fault
short_description: Explain in one sentence why a request to AWS failed
version_added: 0.1.0
description:
  - Recognizes a missing collection or boto3, missing or rejected credentials, a missing permission, and a region that
    does not answer.
positional: region
options:
  _input:
    description: The result of the failed task.
    type: dict
    required: true
  region:
    description: The region of the request.
    type: str
    required: true
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
msg: "{{ ansible_failed_result | slipway.platform.aws_fault('eu-central-1') }}"
# => "no usable AWS credentials (Unable to locate credentials): ..."
"""

RETURN = r"""
_value:
  description: The sentence, without a full stop.
  type: str
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Provides the filter."""

    def filters(self):
        return {"aws_fault": on_demand("plugin_utils.aws_errors.sentence")}
