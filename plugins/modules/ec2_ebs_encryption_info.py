#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: ec2_ebs_encryption_info
short_description: Gather whether an AWS account encrypts new EBS volumes by default
version_added: 0.1.0
description:
  - Returns the setting of the account in one region.
  - No module of amazon.aws returns it.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - slipway.platform.attributes.info
  - slipway.platform.attributes.aws
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
- name: Gather whether new volumes are encrypted
  slipway.platform.ec2_ebs_encryption_info:
    region: eu-central-1
"""

RETURN = r"""
enabled:
  description: Whether new volumes, and copies of snapshots, are encrypted even if nobody asks for it.
  returned: success
  type: bool
"""

from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import explained

with suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import BotoCoreError, ClientError


@explained
def main():
    module = AnsibleAWSModule(argument_spec={}, supports_check_mode=True)
    try:
        enabled = module.client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The default encryption of EBS volumes cannot be read")
    module.exit_json(changed=False, enabled=enabled)


if __name__ == "__main__":
    main()
