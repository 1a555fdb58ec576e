# SPDX-License-Identifier: Apache-2.0
"""Claims about who reaches published ports (role docker_firewall)."""

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

SERVICE = "slipway-docker-firewall"
TABLE = "nft --stateless list table inet slipway_docker"


@pytest.fixture(scope="module")
def is_restricted(variable: Callable[[str, Any], Any]) -> bool:
    if variable("docker_firewall_state", "present") == "absent":
        return False
    names = ("docker_firewall_allow", "docker_firewall_swarm_nodes")
    return variable("docker_firewall_policy", "open") == "closed" or any(variable(name, []) for name in names)


@pytest.fixture
def restricted(is_restricted: bool) -> None:
    if not is_restricted:
        pytest.skip("the inventory restricts no port")


def test_no_rules_are_left_where_none_are_wanted(host: Host, is_restricted: bool) -> None:
    files = ["/etc/slipway/docker-firewall.nft", f"/etc/systemd/system/{SERVICE}.service"]
    assert [path for path in files if host.file(path).exists] == (files if is_restricted else [])


@pytest.mark.usefixtures("restricted")
def test_the_rules_in_the_kernel_are_those_that_a_boot_loads(host: Host) -> None:
    saved = f"unshare --net sh -ec 'nft --file /etc/slipway/docker-firewall.nft; {TABLE}'"
    assert host.check_output(TABLE) == host.check_output(saved)


@pytest.mark.usefixtures("restricted")
def test_the_rules_are_loaded_before_the_engine_starts(host: Host) -> None:
    service = host.service(SERVICE)
    assert service.is_enabled
    assert service.is_running
    for name in ("After", "Wants"):
        assert SERVICE in host.check_output("systemctl show docker.service --property=%s", name)


@pytest.mark.usefixtures("restricted")
def test_other_clients_of_a_closed_host_are_dropped(host: Host, variable: Callable[[str, Any], Any]) -> None:
    if variable("docker_firewall_policy", "open") != "closed":
        pytest.skip("the policy is open")
    published = host.check_output("nft --stateless list chain inet slipway_docker published").splitlines()
    assert published[-3].strip() == "counter drop"


@pytest.mark.usefixtures("restricted")
def test_only_nodes_of_a_swarm_reach_its_ports(host: Host, variable: Callable[[str, Any], Any]) -> None:
    if not variable("docker_firewall_swarm_nodes", []):
        assert "chain nodes" not in host.check_output(TABLE)
        return
    nodes = host.check_output("nft --stateless list chain inet slipway_docker nodes").splitlines()
    assert nodes[-3].strip() == "counter drop"
    judged = host.check_output("nft --stateless list chain inet slipway_docker input")
    assert "7946" in judged
    assert "goto nodes" in judged


@pytest.mark.usefixtures("restricted")
def test_no_proxy_of_the_engine_accepts_connections_on_the_host(
    host: Host, variable: Callable[[str, Any], Any]
) -> None:
    if variable("docker_firewall_policy", "open") == "open" and not variable("docker_firewall_allow", []):
        pytest.skip("no published port is restricted")
    # Those of users' own engines are theirs.
    assert host.run("pgrep --euid root --exact docker-proxy").rc == 1
