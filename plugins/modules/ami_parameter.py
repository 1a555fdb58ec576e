#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: ami_parameter
short_description: Name an image in a parameter of AWS Systems Manager
version_added: 0.1.0
description:
  - Writes a parameter of the data type C(aws:ec2:image), which launch templates ask for by C(resolve:ssm:name).
    M(community.aws.ssm_parameter) cannot set a data type.
options:
  name:
    description: Name of the parameter.
    type: str
    required: true
  image_id:
    description: The image.
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
    description: Foretells whether the parameter would change.
    support: full
  diff_mode:
    description: Shows the old image and the new one.
    support: full
  idempotent:
    description: The second run changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Let launch templates find the newest image
  slipway.platform.ami_parameter:
    name: /slipway/ami/docker-el9
    image_id: ami-0123456789abcdef0
    region: eu-central-1
"""

RETURN = r"""
previous:
  description: The image that the parameter named before, empty if there was none.
  returned: success
  type: str
"""

from contextlib import suppress

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

with suppress(ImportError):  # AnsibleAWSModule tells
    from botocore.exceptions import BotoCoreError, ClientError

DATA_TYPE = "aws:ec2:image"


def current(client, name):
    """What the parameter is now, empty if it does not exist."""
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
