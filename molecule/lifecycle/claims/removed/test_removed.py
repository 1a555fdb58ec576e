# SPDX-License-Identifier: Apache-2.0
"""After docker_engine_state: absent."""

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("package", ["docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin"])
def test_the_packages_are_gone(host: Host, package: str) -> None:
    assert not host.package(package).is_installed


@pytest.mark.parametrize(
    "path",
    [
        "/etc/yum.repos.d/docker-ce.repo",
        "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce",
        "/etc/docker/daemon.json",
        "/run/docker.sock",
        "/var/lib/slipway",
    ],
)
def test_what_was_written_is_gone(host: Host, path: str) -> None:
    assert not host.file(path).exists


def test_the_group_that_came_with_the_engine_is_gone(host: Host) -> None:
    assert not host.group("docker").exists


def test_nothing_of_the_engine_runs(host: Host) -> None:
    """A pattern of more than 15 characters would never match."""
    assert host.run("pgrep --list-name docker").stdout == ""
    assert host.run("pgrep --list-name containerd").stdout == ""


def test_volumes_are_kept(host: Host) -> None:
    assert host.file("/var/lib/docker/volumes/precious/_data/treasure").content_string == "gold\n"
