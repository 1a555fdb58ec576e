#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_data
short_description: Remove the data of an engine that is gone
version_added: 0.1.0
description:
  - Removes images, containers, volumes and whatever else the engine and containerd keep in their roots. There is no way
    back.
  - Fails, before anything is removed, when something is still mounted below a root, or when a root holds something that
    no engine makes.
  - Where a root is a mount point, its content is removed and the mount stays.
options:
  roots:
    description: The directories. Those that are not there are fine.
    type: list
    elements: path
    required: true
  files:
    description: What the engine keeps outside of them, as its identity. Those that are not there are fine.
    type: list
    elements: path
    default: []
  state:
    description: There is one, said for the reader of the task.
    type: str
    choices: [absent]
    required: true
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Checks as usual and removes nothing.
    support: full
  diff_mode:
    description: Names the roots.
    support: full
  idempotent:
    description: The second run finds nothing.
    support: full
"""

EXAMPLES = r"""
- name: Remove what the engine left
  slipway.platform.docker_data:
    roots: [/var/lib/docker, /var/lib/containerd]
    files: [/etc/docker/key.json]
    state: absent
"""

RETURN = r"""
removed:
  description: The roots that held data, and the files that were there.
  returned: success
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import engine_data, file_io, mount_table


def main():
    module = AnsibleModule(
        argument_spec={
            "roots": {"type": "list", "elements": "path", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
            "state": {"type": "str", "choices": ["absent"], "required": True},
        },
        supports_check_mode=True,
    )
    roots = engine_data.existing(module.params["roots"])
    files = [path for path in module.params["files"] if os.path.lexists(path)]
    try:
        for root in roots:
            engine_data.refuse_foreign(root)
            # In check mode the engine and its containers are still there.
            engine_data.refuse_mounted(root, [] if module.check_mode else mount_table.current())
    except engine_data.DataError as error:
        module.fail_json(msg=f"{error}. No data was removed.")
    if not module.check_mode:
        for root in roots:
            module.run_command(engine_data.remove_command(root), check_rc=True)
        for path in files:
            file_io.remove(path)
            file_io.remove_if_empty(os.path.dirname(path))
    removed = roots + files
    listed = "".join(path + "\n" for path in removed)
    module.exit_json(changed=bool(removed), removed=removed, diff={"before": listed, "after": ""})


if __name__ == "__main__":
    main()
