#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_swarm_secrets
short_description: Return the join tokens of a swarm, or set autolock and return the unlock key
version_added: 0.1.0
description:
  - Must run on a manager, and always with C(no_log), since everything that it returns is secret.
options:
  tokens:
    description: Whether to return the join tokens.
    type: bool
    default: false
  autolock:
    description:
      - Whether managers are locked when their engine starts, until they get the unlock key. If unset, that stays as it
        is, and the key is returned if there is one.
    type: bool
author:
  - Slipway contributors (@slipway)
extends_documentation_fragment:
  - slipway.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: slipway.platform.docker_swarm_unlock_key
  - module: slipway.platform.docker_swarm_node
"""

EXAMPLES = r"""
- name: Get the join tokens
  slipway.platform.docker_swarm_secrets:
    tokens: true
  no_log: true
  register: tokens
"""

RETURN = r"""
worker:
  description: The join token of workers.
  returned: with O(tokens)
  type: str
manager:
  description: The join token of managers.
  returned: with O(tokens)
  type: str
unlock_key:
  description: The unlock key, empty without autolock.
  returned: without O(tokens)
  type: str
autolock:
  description: Whether autolock was on before.
  returned: success
  type: bool
"""

from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule, explained
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, nodes


def locking(wanted):
    """Return a function that sets autolock in the swarm's spec."""

    def change(spec):
        encryption = {**(spec.get("EncryptionConfig") or {}), "AutoLockManagers": wanted}
        return {**spec, "EncryptionConfig": encryption}

    return change


@explained
def main():
    module = GuardedModule(
        argument_spec={"tokens": {"type": "bool", "default": False}, "autolock": {"type": "bool"}},
        supports_check_mode=True,
    )
    wanted = module.params["autolock"]
    try:
        found = api.get("/swarm")
        is_locking = bool((found["Spec"].get("EncryptionConfig") or {}).get("AutoLockManagers"))
        result = {"changed": wanted not in (None, is_locking), "autolock": is_locking}
        if module.params["tokens"]:
            result["worker"], result["manager"] = (found["JoinTokens"][role] for role in ("Worker", "Manager"))
        else:
            if result["changed"] and not module.check_mode:
                nodes.update_swarm(locking(wanted))
                is_locking = wanted
            result["unlock_key"] = api.get("/swarm/unlockkey")["UnlockKey"] if is_locking else ""
    except api.SwarmError as error:
        module.fail_json(
            msg=f"{api.explained(error)}. Run this on a manager of a swarm that has a quorum. Nothing was changed."
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
