# SPDX-License-Identifier: Apache-2.0
"""After docker_engine_state: absent."""

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("package", ["docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin"])
def test_the_packages_are_removed(host: Host, package: str) -> None:
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
def test_the_files_are_removed(host: Host, path: str) -> None:
    assert not host.file(path).exists


def test_the_group_of_the_engine_is_removed(host: Host) -> None:
    assert not host.group("docker").exists


def test_no_process_of_the_engine_runs(host: Host) -> None:
    """pgrep matches only the first 15 characters of a name."""
    assert host.run("pgrep --list-name docker").stdout == ""
    assert host.run("pgrep --list-name containerd").stdout == ""


def test_volumes_are_kept(host: Host) -> None:
    assert host.file("/var/lib/docker/volumes/precious/_data/treasure").content_string == "gold\n"
