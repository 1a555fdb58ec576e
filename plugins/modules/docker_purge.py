#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_purge
short_description: Delete the data of an engine that has been removed
version_added: 0.1.0
description:
  - Deletes images, containers, volumes and everything else that the engine and containerd keep in their data roots.
    This cannot be undone.
  - Fails, before anything is deleted, if something is still mounted below a root, or if a root holds something that no
    engine creates.
  - If a root is a mount point, its content is deleted and the mount is kept.
options:
  roots:
    description: The directories. Missing ones are ignored.
    type: list
    elements: path
    required: true
  files:
    description: Files of the engine outside of the roots, such as its identity. Missing ones are ignored.
    type: list
    elements: path
    default: []
  state:
    description: The only choice. It is required so that tasks say what they do.
    type: str
    choices: [absent]
    required: true
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Performs all checks but that for mounts, because the engine and its containers may still be running.
  diff_mode:
    support: full
    details: Lists roots and files.
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_daemon
"""

EXAMPLES = r"""
- name: Delete the engine's data
  slipway.platform.docker_purge:
    roots: [/var/lib/docker, /var/lib/containerd]
    files: [/etc/docker/key.json]
    state: absent
"""

RETURN = r"""
removed:
  description: The roots that held data, and the files that existed.
  returned: success
  type: list
  elements: str
"""

import os

from ansible_collections.slipway.platform.plugins.module_utils.engine import purge
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "roots": {"type": "list", "elements": "path", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
            "state": {"type": "str", "choices": ["absent"], "required": True},
        },
        supports_check_mode=True,
    )
    roots = purge.existing(module.params["roots"])
    files = [path for path in module.params["files"] if os.path.lexists(path)]
    try:
        for root in roots:
            purge.refuse_foreign(root)
            # In check mode the engine and its containers may still be running.
            purge.refuse_mounted(root, [] if module.check_mode else mounts.current())
    except purge.PurgeError as error:
        module.fail_json(msg=f"{error}. No data was removed.")
    if not module.check_mode:
        for root in roots:
            module.run_command(purge.remove_command(root), check_rc=True)
        for path in files:
            host_files.remove(path)
            host_files.remove_if_empty(os.path.dirname(path))
    removed = roots + files
    listed = "".join(path + "\n" for path in removed)
    module.exit_json(changed=bool(removed), removed=removed, diff={"before": listed, "after": ""})


if __name__ == "__main__":
    main()
