#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: ec2_volume_key_info
short_description: Gather the KMS keys that encrypt the volumes of an EC2 instance
version_added: 0.1.0
description:
  - Returns the keys, and the volumes that are not encrypted. An image of the instance is encrypted with the same keys.
  - M(amazon.aws.ec2_vol_info) does not return keys.
options:
  instance_id:
    description: The ID of the instance.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - slipway.platform.attributes.info
  - slipway.platform.attributes.aws
author:
  - Slipway contributors (@slipway)
seealso:
  - module: amazon.aws.ec2_vol_info
"""

EXAMPLES = r"""
- name: Gather the keys of the volumes
  slipway.platform.ec2_volume_key_info:
    instance_id: i-0123456789abcdef0
    region: eu-central-1
"""

RETURN = r"""
key_arns:
  description: ARNs of the keys, without duplicates.
  returned: success
  type: list
  elements: str
unencrypted:
  description: IDs of the volumes that are not encrypted.
  returned: success
  type: list
  elements: str
"""

from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import explained

with suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import BotoCoreError, ClientError


def volumes_of(client, instance):
    """The descriptions of all volumes that are attached to the instance."""
    pages = client.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )
    return [volume for page in pages for volume in page["Volumes"]]


@explained
def main():
    module = AnsibleAWSModule(
        argument_spec={"instance_id": {"type": "str", "required": True}}, supports_check_mode=True
    )
    try:
        volumes = volumes_of(module.client("ec2"), module.params["instance_id"])
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The volumes of {} cannot be described".format(module.params["instance_id"]))
    module.exit_json(
        changed=False,
        key_arns=sorted({volume["KmsKeyId"] for volume in volumes if "KmsKeyId" in volume}),
        unencrypted=sorted(volume["VolumeId"] for volume in volumes if not volume["Encrypted"]),
    )


if __name__ == "__main__":
    main()
