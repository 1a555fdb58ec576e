# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.preflight import engine_change


def test_nftables_on_a_node_of_a_swarm_is_refused(tmp_path: Path) -> None:
    """Fault: `firewall-backend: nftables` on a node of a swarm. Outcome: refused."""
    options: dict[str, Any] = {"firewall-backend": "nftables", "data-root": str(tmp_path)}
    assert engine_change.swarm_problems(options) == []
    (tmp_path / "swarm").mkdir()
    (tmp_path / "swarm/docker-state.json").touch()
    (sentence,) = engine_change.swarm_problems(options)
    assert "firewall-backend: nftables does not work on a node of a swarm" in sentence
    for also in ({"iptables": False}, {"features": {"swarm-nftables": True}}, {"firewall-backend": "iptables"}):
        assert engine_change.swarm_problems({**options, **also}) == []


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"ContainersRunning": 2}, "to keep them running, enable it in docker_engine_daemon_options"),
        ({"ContainersRunning": 2, "Swarm": {"LocalNodeState": "inactive"}}, "to keep them running"),
        ({"ContainersRunning": 2, "Swarm": {"LocalNodeState": "active"}}, "docker node update --availability drain"),
    ],
)
def test_containers_that_stop_are_counted_with_a_remedy_that_works(info: dict[str, Any], words: str) -> None:
    assert words in engine_change.container_warning(info)


def test_containers_that_run_on_are_not_counted() -> None:
    assert engine_change.container_warning({"ContainersRunning": 2, "LiveRestoreEnabled": True}) is None
    assert engine_change.container_warning({}) is None
