#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: ami_volume_keys
short_description: Tell by which keys the volumes of an instance of AWS are encrypted
version_added: 0.1.0
description:
  - An image of the instance is encrypted by the same keys. M(amazon.aws.ec2_vol_info) does not tell them.
options:
  instance_id:
    description: The instance.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
  idempotent:
    description: It only reads.
    support: full
"""

EXAMPLES = r"""
- name: Tell by which keys the volumes are encrypted
  slipway.platform.ami_volume_keys:
    instance_id: i-0123456789abcdef0
    region: eu-central-1
"""

RETURN = r"""
key_arns:
  description: ARNs of the keys, without duplicates. Volumes that are not encrypted have none.
  returned: success
  type: list
  elements: str
"""

from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

with suppress(ImportError):  # AnsibleAWSModule tells
    from botocore.exceptions import BotoCoreError, ClientError


def keys_of(client, instance):
    """The keys of all volumes that are attached to the instance."""
    pages = client.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )
    return sorted({volume["KmsKeyId"] for page in pages for volume in page["Volumes"] if "KmsKeyId" in volume})


def main():
    module = AnsibleAWSModule(
        argument_spec={"instance_id": {"type": "str", "required": True}}, supports_check_mode=True
    )
    try:
        module.exit_json(changed=False, key_arns=keys_of(module.client("ec2"), module.params["instance_id"]))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The volumes cannot be looked at")


if __name__ == "__main__":
    main()
