#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: ssm_image_parameter
short_description: Publish the ID of an AMI in a parameter of AWS Systems Manager
version_added: 0.1.0
description:
  - Writes a parameter of the data type C(aws:ec2:image), which launch templates can refer to as C(resolve:ssm:name).
  - M(community.aws.ssm_parameter) cannot set the data type.
options:
  name:
    description: The name of the parameter.
    type: str
    required: true
  image_id:
    description: The ID of the AMI.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - slipway.platform.attributes
  - slipway.platform.attributes.aws
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the old and the new AMI.
  idempotent:
    support: full
seealso:
  - module: community.aws.ssm_parameter
"""

EXAMPLES = r"""
- name: Publish the newest AMI for launch templates
  slipway.platform.ssm_image_parameter:
    name: /slipway/ami/docker-el9
    image_id: ami-0123456789abcdef0
    region: eu-central-1
"""

RETURN = r"""
previous:
  description: The previous value of the parameter, empty if it did not exist.
  returned: success
  type: str
"""

from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import explained

with suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import BotoCoreError, ClientError

DATA_TYPE = "aws:ec2:image"


def current(client, name):
    """The current parameter, empty if it does not exist."""
    try:
        return client.get_parameter(Name=name)["Parameter"]
    except is_boto3_error_code("ParameterNotFound"):
        return {}


def run(module, client):
    name, image = module.params["name"], module.params["image_id"]
    before = current(client, name)
    changed = (before.get("Value"), before.get("DataType")) != (image, DATA_TYPE)
    if changed and not module.check_mode:
        client.put_parameter(Name=name, Value=image, Type="String", DataType=DATA_TYPE, Overwrite=True)
    previous = before.get("Value", "")
    return {
        "changed": changed,
        "previous": previous,
        "diff": {"before_header": name, "after_header": name, "before": previous + "\n", "after": image + "\n"},
    }


@explained
def main():
    module = AnsibleAWSModule(
        argument_spec={"name": {"type": "str", "required": True}, "image_id": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module, module.client("ssm")))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="Parameter {} cannot be written".format(module.params["name"]))


if __name__ == "__main__":
    main()
