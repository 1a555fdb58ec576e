# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api
from ansible_collections.slipway.platform.plugins.modules import docker_swarm_backup

NOTE = {"swarm_id": "s1", "address": "10.0.0.1"}


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"swarm_id": "s2", "has_quorum": True}, "docker swarm leave --force"),
        ({"swarm_id": "s1", "has_quorum": False}, "--advertise-addr 10.0.0.1"),
        ({"swarm_id": "s1", "has_quorum": None}, "no manager with a quorum"),
    ],
)
def test_a_node_is_not_taken_for_a_restored_manager(node: dict[str, Any], words: str) -> None:
    """A restore that was killed after it put the state in place has not made the host the only manager."""
    docker_swarm_backup.refuse_other_node({"swarm_id": "s1", "has_quorum": True}, NOTE)
    with pytest.raises(api.SwarmError, match=words):
        docker_swarm_backup.refuse_other_node(node, NOTE)
