#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_swarm_info
short_description: Describe this host's node of a swarm
version_added: 0.1.0
description:
  - Says whether this host is a node of a swarm, and of which one, also on workers and while the swarm has no quorum.
  - On a manager, lists the settings and the nodes of the swarm. Nothing that it returns is secret.
  - Needs nothing but Python on the host. The modules for swarms of C(community.docker) need the Docker SDK for Python.
options:
  wanted:
    description: What the inventory says of this node. Returned as it is, so that a play can compare all its nodes.
    type: dict
    default: {}
  settle:
    description: Seconds to wait while the node is V(pending), as it is until enough managers are unlocked.
    type: int
    default: 0
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes.info
seealso:
  - module: slipway.platform.docker_swarm_node
  - module: slipway.platform.docker_swarm
"""

EXAMPLES = r"""
- name: Ask the node
  slipway.platform.docker_swarm_info:
  register: found

- name: Require a quorum
  ansible.builtin.assert:
    that: found.node.has_quorum
"""

RETURN = r"""
node:
  description: This host's node.
  returned: success
  type: dict
  contains:
    state:
      description: >-
        V(inactive) outside a swarm, V(active), V(pending), V(error) or V(locked). V(absent) if no engine answers.
        The other keys are missing then.
      type: str
    id:
      description: The node's ID.
      type: str
    swarm_id:
      description: The ID of its swarm.
      type: str
    address:
      description: The address that it advertises.
      type: str
    is_manager:
      description: Whether it is a manager.
      type: bool
    is_leader:
      description: Whether it leads the managers.
      type: bool
    has_quorum:
      description: Whether its swarm has a quorum. V(null) on others than managers.
      type: bool
    error:
      description: What keeps it from being active, or the swarm from having a quorum.
      type: str
    live_restore:
      description: Whether the engine has live-restore, with which it cannot become a node.
      type: bool
    engine_version:
      description: The version of the engine.
      type: str
swarm:
  description: Settings of the swarm. V(null) unless this is a manager of a swarm with a quorum.
  returned: success
  type: dict
  sample: {id: x1, certificate_days: 90.0, task_history: 5, autolock: false, data_path_port: 4789}
nodes:
  description: The nodes of the swarm. V(null) unless this is a manager of a swarm with a quorum.
  returned: success
  type: list
  elements: dict
  sample: [{id: x2, hostname: m1, role: manager, availability: active, state: ready, is_leader: true}]
wanted:
  description: O(wanted).
  returned: success
  type: dict
"""

from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, membership


@explained
def main():
    module = GuardedModule(
        argument_spec={"wanted": {"type": "dict", "default": {}}, "settle": {"type": "int", "default": 0}},
        supports_check_mode=True,
    )
    try:
        if module.params["settle"]:
            membership.wait_until(lambda: membership.state() != "pending", module.params["settle"])
        module.exit_json(changed=False, wanted=module.params["wanted"], **membership.describe())
    except api.SwarmError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
