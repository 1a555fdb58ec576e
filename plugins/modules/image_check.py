#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: image_check
short_description: List everything in an image that must not ship
version_added: 0.1.0
description:
  - Looks for everything that M(slipway.platform.image_seal) removes, and for credentials in all files - logins of
    registries, tokens, private keys, keys of AWS, passwords in URLs, in .netrc and of repositories. Fails with the
    whole list.
  - Reads only. Says where a credential is, never what it is. Compressed files are not unpacked.
  - In a raw image it looks for credentials in all bytes, those of deleted files included. Files have no name there, so
    what may stay is refused.
options:
  path:
    description: V(/), the folder of a root file system, or the file or device of a raw image.
    type: path
    default: /
  keep_keys_of:
    description: Users whose C(authorized_keys) may stay.
    type: list
    elements: str
    default: []
  allowed:
    description: Patterns of files of the image whose credentials may stay, such as V(/etc/docker/tls/*).
    type: list
    elements: str
    default: []
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: Has no diff.
    support: none
  idempotent:
    description: Changes nothing.
    support: full
seealso:
  - module: slipway.platform.image_seal
"""

EXAMPLES = r"""
- name: Prove that nothing ships which must not
  slipway.platform.image_check:
    path: /mnt/image
"""

RETURN = r"""
violations:
  description: Where something is that must not ship, and what it is.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, own
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import TreeError, printable


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/"},
            "keep_keys_of": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "allowed": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        found = check.of_path(params["path"], params["keep_keys_of"], params["allowed"], own=own.folders(__file__))
    except TreeError as error:
        module.fail_json(msg="{}.".format(printable(str(error))))
    violations = [check.sentence(violation) for violation in found]
    if violations:
        listed = "\n".join(violations)
        module.fail_json(
            msg="{} must not ship as it is; remove these, or never write them:\n{}".format(params["path"], listed),
            violations=violations,
        )
    module.exit_json(changed=False, violations=[])


if __name__ == "__main__":
    main()
