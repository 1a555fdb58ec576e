#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_swarm_node
short_description: Make this host a node of a swarm, unlock it, or let it leave
version_added: 0.1.0
description:
  - Initializes a swarm, or joins one, through the engine's API. Needs nothing but Python on the host.
  - A host that is a node already stays what it is. Roles, labels and availability are changed by
    M(slipway.platform.docker_swarm) on a manager.
  - A host that cannot join is as it was before.
options:
  state:
    description: V(absent) lets the host leave its swarm.
    type: str
    choices: [present, absent]
    default: present
  managers:
    description: Addresses of managers, with port, to join at. If unset, a new swarm is initialized.
    type: list
    elements: str
  join_token:
    description: The token for a manager or for a worker, which decides what the host becomes.
    type: str
  unlock_key:
    description: The key of a swarm with autolock. With it, this manager is unlocked if it is locked, and nothing else.
    type: str
  listen_address:
    description: Address and port at which a manager listens.
    type: str
    default: 0.0.0.0:2377
  advertise_address:
    description: Address or interface at which other nodes reach this one. If empty, the engine chooses.
    type: str
    default: ''
  data_path_address:
    description: Address or interface for the traffic of overlay networks. If empty, that of O(advertise_address).
    type: str
    default: ''
  data_path_port:
    description: UDP port of the traffic of overlay networks, for a new swarm.
    type: int
    default: 4789
  address_pools:
    description: Networks from which overlay networks get their subnets, for a new swarm. If empty, the engine's own.
    type: list
    elements: str
    default: []
  subnet_size:
    description: Length of the prefix of the subnets in O(address_pools), for a new swarm.
    type: int
    default: 24
  availability:
    description: Whether a host that joins gets tasks.
    type: str
    choices: [active, pause, drain]
    default: active
  force:
    description: Whether a manager may leave too, which may cost the swarm its quorum.
    type: bool
    default: false
  timeout:
    description: Time limit in seconds of each step.
    type: int
    default: 60
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the state of the node.
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_swarm
  - module: slipway.platform.docker_swarm_info
"""

EXAMPLES = r"""
- name: Initialize a swarm
  slipway.platform.docker_swarm_node:
    advertise_address: 10.0.0.1

- name: Join it
  slipway.platform.docker_swarm_node:
    managers: ["10.0.0.1:2377"]
    join_token: "{{ tokens.worker }}"
  no_log: true
"""

RETURN = r"""
node:
  description: The node, as RV(slipway.platform.docker_swarm_info#module:node) describes it.
  returned: success
  type: dict
swarm:
  description: The swarm, as RV(slipway.platform.docker_swarm_info#module:swarm) describes it.
  returned: success
  type: dict
nodes:
  description: The nodes, as RV(slipway.platform.docker_swarm_info#module:nodes) describes them.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, joining, membership


def change(module, node):
    """Return the node's next state and the function that brings it there, or None and None."""
    params, state = module.params, node["state"]
    if params["state"] == "absent":
        return (None, None) if state in ("absent", membership.INACTIVE) else (membership.INACTIVE, joining.leave)
    if params["unlock_key"]:
        return ("active", joining.unlock) if state == "locked" else (None, None)
    if state not in ("absent", membership.INACTIVE):
        return None, None
    return "active", joining.init if params["managers"] is None else joining.join


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "managers": {"type": "list", "elements": "str"},
            "join_token": {"type": "str", "no_log": True},
            "unlock_key": {"type": "str", "no_log": True},
            "listen_address": {"type": "str", "default": "0.0.0.0:2377"},
            "advertise_address": {"type": "str", "default": ""},
            "data_path_address": {"type": "str", "default": ""},
            "data_path_port": {"type": "int", "default": 4789},
            "address_pools": {"type": "list", "elements": "str", "default": []},
            "subnet_size": {"type": "int", "default": 24},
            "availability": {"type": "str", "choices": ["active", "pause", "drain"], "default": "active"},
            "force": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    try:
        found = membership.describe()
        node = found["node"]
        wanted, carry_out = change(module, node)
        before = node["state"]
        if carry_out and not module.check_mode:
            if carry_out in (joining.init, joining.join):
                joining.refuse_impossible(node)
            carry_out(module.params)
            found = membership.describe()
    except api.SwarmError as error:
        module.fail_json(msg=f"{error}. The host is as it was before.")
    diff = {"before": f"state of the node: {before}\n", "after": f"state of the node: {wanted or before}\n"}
    module.exit_json(changed=bool(carry_out), diff=diff, **found)


if __name__ == "__main__":
    main()
