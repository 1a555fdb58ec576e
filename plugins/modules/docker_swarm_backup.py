#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_swarm_backup
short_description: Save the state of a swarm in a file on the controller, or restore it on a host
version_added: 0.1.0
description:
  - With V(saved), copies the state of a manager into O(path) on the controller. B(The engine stops for that), and with
    it the node's tasks.
  - With V(restored), makes a host that is in no swarm the only manager of the saved one, with its services, secrets
    and join tokens, as C(docker swarm init --force-new-cluster) does. A swarm keeps the addresses of its managers, so
    this happens only on the host that has the address of the saved one.
  - The file holds the keys and all secrets of the swarm. Only its owner can read it, and it is encrypted if the run has
    a password of ansible-vault. Its content is in no result, no variable and no log.
options:
  path:
    description: The file on the controller. A relative one is below the current folder.
    type: str
    required: true
  state:
    description: Whether to save or to restore.
    type: str
    choices: [saved, restored]
    default: saved
  listen_address:
    description: Address and port at which the restored manager listens.
    type: str
    default: 0.0.0.0:2377
  advertise_address:
    description: Address or interface at which other nodes reach the restored manager.
    type: str
    default: ''
  unlock_key_file:
    description: The file on the controller with the unlock key, for a swarm with autolock.
    type: str
    default: ''
  timeout:
    description: Time limit in seconds of each step.
    type: int
    default: 120
  content:
    description: The archive. For internal use; it comes from O(path).
    type: str
  unlock_key:
    description: The unlock key. For internal use; it comes from O(unlock_key_file).
    type: str
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
    details: Checks the backup too.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: Each run with V(saved) saves again. A host that is in the saved swarm already is not restored again.
seealso:
  - module: slipway.platform.docker_swarm_unlock_key
  - name: Administer and maintain a swarm
    description: How Docker backs up and restores.
    link: https://docs.docker.com/engine/swarm/admin_guide/#back-up-the-swarm
"""

EXAMPLES = r"""
- name: Save the state of a manager
  slipway.platform.docker_swarm_backup:
    path: /srv/backup/swarm
"""

RETURN = r"""
path:
  description: The file on the controller.
  returned: success
  type: str
address:
  description: The address of the saved manager.
  returned: with O(state=restored)
  type: str
has_address:
  description: Whether this host has that address. If not, nothing was changed.
  returned: with O(state=restored)
  type: bool
"""

from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, backup, joining, membership


def refuse_locked(module, nodes):
    """Raise SwarmError if the backup could not be unlocked: an engine unlocks with a quorum only."""
    if sum(node["is_member"] for node in nodes) > 1:
        raise api.SwarmError(
            "the swarm has autolock, and no engine unlocks a restored manager without the others: run "
            "playbooks/swarm.yml with docker_swarm_autolock: false, back up, and turn it on again"
        )
    if not module.params["unlock_key"]:
        raise api.SwarmError(
            "the swarm has autolock, and this manager restarts for the backup: set docker_swarm_unlock_key_file to the "
            "file with the key"
        )


def save(module, found):
    if not found["node"].get("has_quorum"):
        raise api.SwarmError("this host is no manager of a swarm with a quorum: save on one that is")
    if found["swarm"]["autolock"]:
        refuse_locked(module, found["nodes"])
    if module.check_mode:
        return {"changed": True, "content": ""}
    content = backup.save(module, found["node"])
    if module.params["unlock_key"] and membership.state() == "locked":
        joining.unlock(module.params)
    return {"changed": True, "content": content}


def refuse_other_node(node, note):
    """Raise SwarmError unless the node is a manager of the saved swarm, and can change it."""
    if node.get("swarm_id") != note.get("swarm_id"):
        raise api.SwarmError("this host is a node of a swarm: run docker swarm leave --force on it first")
    if not node["has_quorum"]:  # as after a restore that was killed
        raise api.SwarmError(
            "this host is a node of the saved swarm, and no manager with a quorum: for the state in the backup, run "
            "docker swarm leave --force on it, and this again; for the state that the host has, run docker swarm init "
            f"--force-new-cluster --advertise-addr {note['address']}"
        )


def restore(module, found):
    node = found["node"]
    if node["state"] == "absent":
        raise api.EngineDownError("no engine answers on this host: run docker_engine first")
    note, _ = backup.opened(module.params["content"])
    if not backup.is_local(note["address"]):
        return {"changed": False, "has_address": False, "address": note["address"]}
    if node["state"] != membership.INACTIVE:
        refuse_other_node(node, note)
        return {"changed": False, "has_address": True, "address": note["address"]}
    joining.refuse_impossible(node)
    backup.refuse_other_engine(note, node)
    if not module.check_mode:
        backup.restore(module, module.params["content"], node)
    return {"changed": True, "has_address": True, "address": note["address"]}


@explained
def main():
    module = GuardedModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["saved", "restored"], "default": "saved"},
            "listen_address": {"type": "str", "default": "0.0.0.0:2377"},
            "advertise_address": {"type": "str", "default": ""},
            "unlock_key_file": {"type": "str", "default": "", "no_log": False},
            "timeout": {"type": "int", "default": 120},
            "content": {"type": "str", "no_log": True},
            "unlock_key": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    try:
        act = restore if module.params["state"] == "restored" else save
        module.exit_json(**act(module, membership.describe()))
    except api.SwarmError as error:
        module.fail_json(msg=f"{api.explained(error)}.")


if __name__ == "__main__":
    main()
