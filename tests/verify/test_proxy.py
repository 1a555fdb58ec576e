# SPDX-License-Identifier: Apache-2.0
"""Claims about docker_engine_proxy: dnf and the daemon use it, and only root can read its password."""

import json
from urllib.parse import unquote, urlsplit

import pytest
from testinfra.host import Host

REPOSITORY_FILE = "/etc/yum.repos.d/docker-ce.repo"


@pytest.fixture(scope="module")
def proxy(host: Host) -> dict[str, str]:
    """The configured proxy, with templates resolved."""
    if not host.ansible.get_variables().get("docker_engine_proxy"):
        pytest.skip("the inventory sets no docker_engine_proxy")
    settings: dict[str, str] = host.ansible("ansible.builtin.debug", "var=docker_engine_proxy")["docker_engine_proxy"]
    return settings


def server(address: str) -> str:
    """Return host and port of a proxy without its credentials, which the engine hides."""
    return urlsplit(address).netloc.rpartition("@")[2]


def test_the_daemon_uses_the_configured_proxy(host: Host, proxy: dict[str, str]) -> None:
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert server(info["HttpProxy"]) == server(proxy.get("http", ""))
    assert server(info["HttpsProxy"]) == server(proxy.get("https", ""))
    assert info["NoProxy"] == proxy.get("no_proxy", "")


def test_dnf_reaches_the_repository(host: Host, proxy: dict[str, str]) -> None:
    if not host.file(REPOSITORY_FILE).exists:
        pytest.skip("the role does not manage the repository")
    assert "docker-ce" in host.check_output("dnf --quiet --refresh --repo=docker-ce-stable repoquery docker-ce")


def test_no_proxy_password_is_in_a_file_that_others_can_read(host: Host, proxy: dict[str, str]) -> None:
    readable = "find /etc/yum.repos.d /etc/dnf /etc/docker /etc/systemd /run/systemd -type f -perm /044"
    password = (
        r"'^proxy_password|://[^/@[:space:]]+:[^/@[:space:]]+@'"  # any, to keep the real one off the command line
    )
    assert host.check_output(f"{readable} -exec grep -lE {password} {{}} + || true") == ""


def test_systemd_the_journal_and_the_engine_do_not_show_the_password(host: Host, proxy: dict[str, str]) -> None:
    passwords = [urlsplit(proxy.get(key, "")).password for key in ("http", "https")]
    if not any(passwords):
        pytest.skip("the proxy has no password")
    output = host.check_output("systemctl show docker; journalctl --unit=docker --no-pager; docker info")
    for password in filter(None, passwords):
        assert password not in output
        assert unquote(password) not in output
