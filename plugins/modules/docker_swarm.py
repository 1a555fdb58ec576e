#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_swarm
short_description: Manage settings, nodes and networks of a swarm, on one of its managers
version_added: 0.1.0
description:
  - Changes what differs, through the engine's API. Needs nothing but Python on the host.
  - Promotes before it demotes, and refuses what would leave no majority of reachable managers.
  - Waits until the listed nodes are ready, until promoted managers are reachable, and until the services of drained
    nodes run elsewhere. A node that cannot be drained gets its availability back.
options:
  certificate_days:
    description: Validity of the nodes' certificates, which renew themselves. If unset, it stays as it is.
    type: int
  task_history:
    description: Number of old tasks to keep for each replica. If unset, it stays as it is.
    type: int
  nodes:
    description: Nodes of the swarm, and what they should be. Others stay as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The node's ID.
        type: str
        required: true
      role:
        description: What the node should be. If unset, it stays what it is.
        type: str
        choices: [manager, worker]
      availability:
        description: Whether the node gets tasks. If unset, that stays as it is.
        type: str
        choices: [active, pause, drain]
      labels:
        description: Labels of the node. Null removes one, and labels that are not listed stay.
        type: dict
        default: {}
  remove:
    description: IDs of nodes that are gone, to remove from the swarm. Managers are demoted before.
    type: list
    elements: str
    default: []
  networks:
    description: Overlay networks. One that exists with other options is refused.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the network.
        type: str
        required: true
      encrypted:
        description: Whether the traffic between nodes is encrypted.
        type: bool
        default: true
      attachable:
        description: Whether containers outside services may use it.
        type: bool
        default: false
      internal:
        description: Whether it has no way to other networks.
        type: bool
        default: false
      subnet:
        description: Its subnet. If unset, the swarm chooses one.
        type: str
  known:
    description: IDs of all nodes that the swarm should have, so that others are worth a warning. If unset, none is.
    type: list
    elements: str
  remove_lost:
    description: Whether to remove nodes that are not O(known) and down. Others that are not known stay.
    type: bool
    default: false
  timeout:
    description: Time limit in seconds for nodes that are promoted or drained.
    type: int
    default: 300
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_swarm_info
  - module: slipway.platform.docker_swarm_node
"""

EXAMPLES = r"""
- name: Drain a node before its engine is upgraded
  slipway.platform.docker_swarm:
    nodes:
      - {id: "{{ found.node.id }}", availability: drain}
  delegate_to: manager1

- name: Make an encrypted network
  slipway.platform.docker_swarm:
    networks: [{name: backend}]
"""

RETURN = r"""
nodes:
  description: The nodes, as RV(slipway.platform.docker_swarm_info#module:nodes) describes them.
  returned: success
  type: list
  elements: dict
"""

import json

from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, membership, nodes

ELECTION_SECONDS = 30
SETTLED_SECONDS = 60


def listed(module):
    """Return the nodes. Managers choose a new leader within seconds, for which this waits."""
    membership.wait_until(lambda: api.get("/nodes") is not None, min(module.params["timeout"], ELECTION_SECONDS))
    return [membership.described_node(item) for item in api.get("/nodes")]


def plan(module, known, gone):
    """Return pairs of a node and the node as it should be, of those that differ. Raises SwarmError."""
    by_id = {node["id"]: node for node in known}
    pairs = []
    for wanted in module.params["nodes"]:
        node = by_id.get(wanted["id"])
        if node is None:
            raise api.SwarmError(
                f"the swarm has no node {wanted['id']}, which was removed from it: run docker swarm leave --force on "
                "that host, and run this again, so that it joins"
            )
        pairs.append((node, nodes.wanted_node(node, wanted)))
    demoted = {node["id"] for node, after in pairs if (node["role"], after["role"]) == ("manager", "worker")}
    promoted = [after for node, after in pairs if after["role"] == "manager" and node["role"] == "worker"]
    future = [node for node in known if node["id"] not in {after["id"] for after in promoted}]
    future += [{**after, "is_reachable": True, "is_member": True} for after in promoted]
    problem = nodes.quorum_problem(future, {node["id"] for node in future if node["id"] in demoted | gone})
    if problem:
        raise api.SwarmError(problem)
    return [(node, after) for node, after in pairs if nodes.shown(node) != nodes.shown(after)]


def carry_out(module, pairs, gone, missing):
    """Change settings, networks and nodes: promote, change the others, drain, and demote last."""
    timeout = module.params["timeout"]
    nodes.update_swarm(lambda spec: nodes.swarm_spec(module.params, spec))
    for network in missing:
        api.request("POST", "/networks/create", nodes.network_body(network))
    ordered = sorted(pairs, key=lambda pair: pair[1]["role"] != "manager")
    before = nodes.whole_services()
    drained = [node for node, after in pairs if after["availability"] == "drain" != node["availability"]]
    for node, after in ordered:
        if (node["role"], after["role"]) == ("manager", "worker"):
            after = {**after, "role": "manager"}  # services leave a node before its role does
        nodes.update_node(after)
        if (node["role"], after["role"]) == ("worker", "manager"):
            nodes.wait_until_ready(node["id"], True, timeout)
    if drained:
        nodes.wait_until_drained(before, drained, timeout)
    for node, after in ordered:
        if (node["role"], after["role"]) == ("manager", "worker"):
            nodes.update_node(after)
            membership.wait_until(lambda node=node: not api.get(f"/nodes/{node['id']}").get("ManagerStatus"), timeout)
    nodes.remove(gone, timeout)


def await_listed(module, known):
    """Wait until the listed nodes answer, which a restart of an engine takes some seconds for."""
    listed_ids = {wanted["id"] for wanted in module.params["nodes"]}
    for node in known:
        is_well = node["state"] == "ready" and (node["is_reachable"] or node["role"] == "worker")
        if node["id"] in listed_ids and not is_well:
            nodes.wait_until_ready(node["id"], node["role"] == "manager", module.params["timeout"])


def is_lost(module, node):
    params = module.params
    return params["remove_lost"] and node["id"] not in (params["known"] or ()) and node["state"] == "down"


def settled(module, known):
    """Return the nodes when the managers know what became of those that are unknown, or replaced by others.

    A node counts as down some 20 s after its last sign of life.
    """
    wanted = module.params["known"] or ()
    addresses = {node["address"] for node in known if node["id"] in wanted}

    def is_settled():
        others = [node for node in listed(module) if node["id"] not in wanted]
        return not [
            node
            for node in others
            if node["state"] == "unknown" or (node["state"] == "ready" and node["address"] in addresses)
        ]

    membership.wait_until(is_settled, min(module.params["timeout"], SETTLED_SECONDS))
    return listed(module)


def warn(module, known):
    """Warn of too few managers, and of nodes that the inventory does not have."""
    if module.params["known"] is None:
        return
    managers = [node for node in known if node["role"] == "manager" and (node["is_member"] or node["state"] != "down")]
    if len(managers) == 1:
        module.warn(
            "The swarm has one manager, and without it nothing can be changed: put two more hosts into "
            "docker_swarm_managers, or back it up."
        )
    elif len(managers) % 2 == 0:
        module.warn(
            f"The swarm has {len(managers)} managers, which survive the loss of {(len(managers) - 1) // 2}, as one "
            "fewer would: put an odd number of hosts into docker_swarm_managers."
        )
    others = [f"{node['hostname']} ({node['state']})" for node in known if node["id"] not in module.params["known"]]
    if others:
        module.warn(
            "The swarm has nodes that this run does not know: {}. Those that are gone for good are removed with "
            "docker_swarm_lost_nodes: remove.".format(", ".join(others))
        )


def text_of(spec, known, networks):
    shown = {
        "swarm": {
            "certificate_days": (spec.get("CAConfig") or {}).get("NodeCertExpiry", 0) / membership.NANOSECONDS_OF_A_DAY,
            "task_history": (spec.get("Orchestration") or {}).get("TaskHistoryRetentionLimit"),
        },
        "nodes": {f"{node['hostname']} ({node['id']})": nodes.shown(node) for node in known},
        "networks": networks,
    }
    return json.dumps(shown, indent=2, sort_keys=True) + "\n"


def run(module):
    params = module.params
    known = listed(module)
    spec = api.get("/swarm")["Spec"]
    if params["remove_lost"] and not module.check_mode:
        known = settled(module, known)
    gone = [node for node in known if node["id"] in params["remove"] or is_lost(module, node)]
    pairs = plan(module, known, {node["id"] for node in gone})
    found = {wanted["name"]: nodes.found_network(wanted["name"]) for wanted in params["networks"]}
    problems = [nodes.network_problem(wanted, found[wanted["name"]]) for wanted in params["networks"]]
    if any(problems):
        raise api.SwarmError(". ".join(problem for problem in problems if problem))
    missing = [wanted for wanted in params["networks"] if not found[wanted["name"]]]
    wanted_spec = nodes.swarm_spec(params, spec)
    after = {node["id"]: node for _, node in pairs}
    future = [after.get(node["id"], node) for node in known if node not in gone]
    changed = bool(pairs or gone or missing or wanted_spec != spec)
    warn(module, future)
    if not module.check_mode:
        await_listed(module, known)
    if changed and not module.check_mode:
        carry_out(module, pairs, gone, missing)
        known = listed(module)
    names = sorted(name for name in found if found[name])
    module.exit_json(
        changed=changed,
        nodes=known if not module.check_mode else future,
        diff={
            "before": text_of(spec, [node for node, _ in pairs] + gone, names),
            "after": text_of(wanted_spec, [node for _, node in pairs], sorted(found)),
        },
    )


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "certificate_days": {"type": "int"},
            "task_history": {"type": "int"},
            "nodes": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "id": {"type": "str", "required": True},
                    "role": {"type": "str", "choices": ["manager", "worker"]},
                    "availability": {"type": "str", "choices": ["active", "pause", "drain"]},
                    "labels": {"type": "dict", "default": {}},
                },
            },
            "remove": {"type": "list", "elements": "str", "default": []},
            "networks": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "encrypted": {"type": "bool", "default": True},
                    "attachable": {"type": "bool", "default": False},
                    "internal": {"type": "bool", "default": False},
                    "subnet": {"type": "str"},
                },
            },
            "known": {"type": "list", "elements": "str"},
            "remove_lost": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    try:
        run(module)
    except api.SwarmError as error:
        module.fail_json(msg=f"{api.explained(error)}.")


if __name__ == "__main__":
    main()
