# SPDX-License-Identifier: Apache-2.0
"""What role docker_access promises of a host, tried as the users concerned over the real socket."""

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

USE_THE_ENGINE = "runuser --user %s -- docker version --format '{{.Server.Version}}'"


@pytest.fixture(scope="module")
def members(variable: Callable[[str, Any], Any]) -> list[str]:
    listed: list[str] = variable("docker_access_members", [])
    return listed


def test_every_member_can_use_the_engine(host: Host, members: list[str]) -> None:
    if not members:
        pytest.skip("the inventory lists no member")
    for member in members:
        assert host.check_output(USE_THE_ENGINE, member)


def test_strangers_are_denied_at_the_socket(host: Host) -> None:
    for stranger in host.ansible.get_variables().get("verify_strangers", ["nobody"]):
        denied = host.run(USE_THE_ENGINE, stranger)
        assert denied.rc != 0
        assert "permission denied" in denied.stderr.lower()


def test_the_group_has_the_number_that_was_asked_for(host: Host) -> None:
    variables = host.ansible.get_variables()
    if not variables.get("docker_access_group_gid"):
        pytest.skip("the inventory asks for no number")
    group = host.group(variables.get("docker_access_socket_group", "docker"))
    assert group.gid == variables["docker_access_group_gid"]


def test_nobody_else_is_in_the_group_where_the_list_is_exclusive(host: Host, members: list[str]) -> None:
    variables = host.ansible.get_variables()
    if not variables.get("docker_access_exclusive"):
        pytest.skip("the list of members is not exclusive")
    group = variables.get("docker_access_socket_group", "docker")
    listed = host.check_output("getent group %s", group).split(":")[3]
    assert sorted(filter(None, listed.split(","))) == sorted(members)


def test_the_remote_api_is_for_clients_of_the_ca_only(host: Host) -> None:
    if not host.ansible.get_variables().get("docker_access_tls"):
        pytest.skip("the inventory asks for no remote API")
    for name, mode in {"ca": "0o444", "cert": "0o444", "key": "0o400"}.items():
        assert oct(host.file(f"/etc/docker/tls/{name}.pem").mode) == mode
    stranger = host.run("curl --silent --insecure https://127.0.0.1:2376/_ping")
    assert stranger.rc != 0
