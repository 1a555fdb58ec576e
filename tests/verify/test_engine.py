# SPDX-License-Identifier: Apache-2.0
"""Claims about the engine (role docker_engine)."""

import json

import pytest
from testinfra.host import Host

REPOSITORY_FILE = "/etc/yum.repos.d/docker-ce.repo"


def test_the_engine_runs_and_starts_at_boot(host: Host) -> None:
    service = host.service("docker")
    assert service.is_running
    assert service.is_enabled


def test_the_api_answers_on_the_socket(host: Host) -> None:
    assert host.check_output("docker version --format '{{.Server.APIVersion}}'")


def test_the_socket_has_the_configured_owner_group_and_mode(host: Host) -> None:
    socket = host.file("/run/docker.sock")
    assert socket.is_socket
    variables = host.ansible.get_variables()
    group = variables.get("docker_access_socket_group", "docker")
    mode = int(variables.get("docker_access_socket_mode", "0660"), 8)
    assert (socket.user, socket.group, socket.mode) == ("root", group, mode)


def test_a_container_runs(host: Host, image: str) -> None:
    assert "Hello" in host.check_output("docker run --rm %s", image)


def test_logs_are_bounded(host: Host, image: str) -> None:
    container = host.check_output("docker create %s", image)
    try:
        inspected = host.check_output("docker inspect --format '{{json .HostConfig.LogConfig}}' %s", container)
    finally:
        host.check_output("docker rm %s", container)
    logging = json.loads(inspected)
    if logging["Type"] not in ("json-file", "local"):
        pytest.skip(f"the log driver {logging['Type']} limits logs itself")
    assert {"max-size", "max-file"} <= set(logging["Config"])


def test_the_engine_runs_with_the_current_daemon_json(host: Host) -> None:
    """Otherwise the next reboot would change the configuration."""
    options = json.loads(host.file("/etc/docker/daemon.json").content_string)
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert info["LiveRestoreEnabled"] == options.get("live-restore", False)
    assert info["LoggingDriver"] == options.get("log-driver", "json-file")
    assert info["Debug"] == options.get("debug", False)


def test_packages_are_signed_and_checked(host: Host) -> None:
    if not host.file(REPOSITORY_FILE).exists:
        pytest.skip("the role does not manage the repository")
    repository = host.file(REPOSITORY_FILE).content_string
    assert "gpgcheck=1" in repository
    assert "gpgkey=file:///" in repository
    assert "$releasever" not in repository
    signature = host.check_output("rpm --query --queryformat '%{SIGPGP:pgpsig}%{RSAHEADER:pgpsig}' docker-ce")
    assert "Key ID" in signature


@pytest.mark.parametrize("plugin", ["buildx", "compose"])
def test_the_client_has_its_plugins(host: Host, plugin: str) -> None:
    wanted = host.ansible.get_variables().get("docker_engine_plugins", ["buildx", "compose"])
    installed = host.run(f"docker {plugin} version").rc == 0
    assert installed == (plugin in wanted)


def test_only_root_can_write_the_configuration(host: Host) -> None:
    loose = host.check_output(
        "find /etc/docker /etc/systemd/system/docker.service.d /etc/yum.repos.d -not -type l -perm /022 2>/dev/null"
        " || true"
    )
    assert loose == ""
