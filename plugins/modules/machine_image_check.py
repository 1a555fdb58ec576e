#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: machine_image_check
short_description: List everything in a machine image that must not ship
version_added: 0.1.0
description:
  - Looks for everything that M(slipway.platform.machine_image_seal) removes, and for credentials in all files -
    registry logins, tokens, private keys, AWS keys, and passwords in URLs, in .netrc and in repository files. Fails
    with the complete list.
  - Reports where a credential is, never the credential. Compressed files are not unpacked.
  - A raw image is searched for credentials in all its bytes, including those of deleted files. The files have no names
    there, so O(allowed), O(keep_keys_of) and O(keep_passwords_of) are rejected.
options:
  path:
    description: V(/), the root folder of a file system, or the file or device of a raw image.
    type: path
    default: /
  allowed:
    description: Patterns of files in the image whose credentials may stay, such as V(/etc/docker/tls/*).
    type: list
    elements: str
    default: []
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes.info
  - slipway.platform.attributes.machine_image
  - slipway.platform.machine_image
seealso:
  - module: slipway.platform.machine_image_seal
"""

EXAMPLES = r"""
- name: Verify that the image holds nothing that must not ship
  slipway.platform.machine_image_check:
    path: /mnt/image
"""

RETURN = r"""
violations:
  description: A line for each violation, with its place and its kind.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, own
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import TreeError, printable
from ansible_collections.slipway.platform.plugins.module_utils.module import shared_options
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "path": {"type": "path", "default": "/"},
            **shared_options.MACHINE_IMAGE,
            "allowed": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        found = check.check_path(
            params["path"],
            params["keep_keys_of"],
            params["allowed"],
            own=own.folders(__file__),
            keep_passwords_of=params["keep_passwords_of"],
        )
    except TreeError as error:
        module.fail_json(msg="{}.".format(printable(str(error))))
    violations = [check.describe(violation) for violation in found]
    if violations:
        heading = "{} must not ship as it is: remove the following, or never write them:".format(params["path"])
        module.fail_json(msg="\n".join([heading, *violations]), violations=violations)
    module.exit_json(changed=False, violations=[])


if __name__ == "__main__":
    main()
