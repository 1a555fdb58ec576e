# SPDX-License-Identifier: Apache-2.0
"""Two of three managers are a majority, which chooses a leader and knows what is lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

# Until the managers have chosen a leader, they answer nothing; a node counts as down some 20 s later.
UNTIL_KNOWN = "timeout 60 sh -c 'until docker node ls 2>/dev/null | grep --quiet Down; do sleep 0.5; done'"


@pytest.fixture(autouse=True)
def only_managers_that_are_left(host: Host, variable: Callable[[str, Any], Any]) -> None:
    if "docker_swarm_managers" not in variable("group_names", []) or not host.service("docker").is_running:
        pytest.skip("the host is no manager that is left")


def test_another_manager_leads_and_the_swarm_can_be_changed(host: Host) -> None:
    """Fault: one of three managers is lost. Outcome: another one leads, and the swarm can be changed."""
    host.check_output(UNTIL_KNOWN)
    nodes = [json.loads(line) for line in host.check_output("docker node ls --format json").splitlines()]
    assert len(nodes) == 5
    states = {node["Hostname"]: (node["Status"], node["ManagerStatus"]) for node in nodes}
    assert states["molecule-swarm-manager1"] == ("Down", "Unreachable")
    assert [manager for _, manager in states.values()].count("Leader") == 1
    host.check_output("docker node update --label-add changed=yes molecule-swarm-worker1")
