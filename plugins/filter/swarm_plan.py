# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: swarm_plan
short_description: Say what each host has to do for the swarm to be as the inventory says
version_added: 0.1.0
description:
  - Compares the answers of all nodes with the groups of the inventory.
  - It is made for the role P(slipway.platform.docker_swarm#role), whose results are its input.
options:
  _input:
    description: >-
      Dictionaries by host with results of M(slipway.platform.docker_swarm_info) and
      M(slipway.platform.docker_swarm_node), the later ones last. A host that was not asked has an empty one.
    type: list
    elements: dict
    required: true
  managers:
    description: The hosts that should be managers.
    type: list
    elements: str
    required: true
  workers:
    description: The hosts that should be workers.
    type: list
    elements: str
    required: true
  check_mode:
    description: Whether a host whose engine does not answer counts as one where it is to be installed.
    type: bool
    default: false
author:
  - Slipway contributors (@slipway)
"""

EXAMPLES = r"""
plan: "{{ [found] | slipway.platform.swarm_plan(managers=groups.docker_swarm_managers, workers=[]) }}"
# => {acting: manager1, first: '', joining: {manager2: manager}, addresses: ['10.0.0.1:2377'], nodes: [...], ...}
"""

RETURN = r"""
_value:
  description: >-
    The host on which the swarm is changed (V(acting)), the one that initializes it (V(first)), those that join with
    their roles (V(joining)) and the addresses at which they do, the nodes as they should be (V(nodes)), all that
    are known (V(known)), and the hosts that are locked or leave.
  type: dict
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand


class FilterModule:
    """Makes the pure function a filter."""

    def filters(self):
        return {"swarm_plan": on_demand("plugin_utils.swarm_plan.plan")}
