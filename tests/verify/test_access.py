# SPDX-License-Identifier: Apache-2.0
"""Claims about access to the engine (role docker_access), tried as each user over the real socket."""

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
        pytest.skip("the inventory lists no members")
    for member in members:
        assert host.check_output(USE_THE_ENGINE, member)


def test_other_users_are_denied_at_the_socket(host: Host) -> None:
    for user in host.ansible.get_variables().get("verify_non_members", ["nobody"]):
        denied = host.run(USE_THE_ENGINE, user)
        assert denied.rc != 0
        assert "permission denied" in denied.stderr.lower()


def test_the_group_has_the_configured_gid(host: Host) -> None:
    variables = host.ansible.get_variables()
    if not variables.get("docker_access_group_gid"):
        pytest.skip("the inventory sets no GID")
    group = host.group(variables.get("docker_access_socket_group", "docker"))
    assert group.gid == variables["docker_access_group_gid"]


def test_an_exclusive_group_has_only_the_listed_members(host: Host, members: list[str]) -> None:
    variables = host.ansible.get_variables()
    if not variables.get("docker_access_exclusive"):
        pytest.skip("the list of members is not exclusive")
    group = variables.get("docker_access_socket_group", "docker")
    gid, listed = host.check_output("getent group %s", group).split(":")[2:]
    assert sorted(filter(None, listed.split(","))) == sorted(members)
    primary = {
        line.split(":")[0] for line in host.check_output("getent passwd").splitlines() if line.split(":")[3] == gid
    }
    assert primary <= set(members)
    for line in host.run(
        "grep ^%s: /etc/gshadow", group
    ).stdout.splitlines():  # empty for a group of a directory service
        _, password, administrators, _ = line.split(":")
        assert set(filter(None, administrators.split(","))) <= set(members)
        assert password.startswith(("!", "*")) or not password


def test_the_remote_api_requires_a_client_certificate(host: Host) -> None:
    if not host.ansible.get_variables().get("docker_access_tls"):
        pytest.skip("the inventory configures no remote API")
    for name, mode in {"ca": "0o444", "cert": "0o444", "key": "0o400"}.items():
        assert oct(host.file(f"/etc/docker/tls/{name}.pem").mode) == mode
    anonymous = host.run("curl --silent --insecure https://127.0.0.1:2376/_ping")
    assert anonymous.rc != 0
