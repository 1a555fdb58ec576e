# SPDX-License-Identifier: Apache-2.0
"""Claims about a mirror made by the role docker_mirror."""

from collections.abc import Callable
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

LINUX = "/var/www/slipway-mirror/linux"
TREES = [f"{LINUX}/{distribution}/9/x86_64" for distribution in ("centos", "rhel")]
ENGINE = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")
COMPANIONS = ("containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest) -> Host:
    """The mirror; --hosts selects the client."""
    inventory = request.config.getoption("ansible_inventory")
    return testinfra.get_hosts(["ansible://docker_mirrors"], ansible_inventory=inventory)[0]


def test_the_web_server_runs_and_starts_at_boot(host: Host) -> None:
    assert host.service("nginx").is_running
    assert host.service("nginx").is_enabled


@pytest.mark.parametrize("tree", TREES)
def test_a_tree_contains_only_the_configured_version(host: Host, tree: str) -> None:
    held = host.check_output(
        f"rpm --query --nosignature --queryformat '%{{NAME}} %{{VERSION}}\n' --package {tree}/stable/Packages/*"
    )
    packages = [line.split() for line in held.splitlines()]
    assert sorted(name for name, _ in packages) == sorted(ENGINE + COMPANIONS)
    assert {version for name, version in packages if name in ENGINE} == {"20.10.24"}


@pytest.mark.parametrize("tree", TREES)
def test_the_metadata_lists_exactly_the_packages_of_the_tree(host: Host, tree: str) -> None:
    offered = host.check_output(
        "dnf --quiet --repofrompath=mirror,file://%s/stable --repo=mirror repoquery --qf '%%{location}'", tree
    )
    files = host.file(f"{tree}/stable/Packages").listdir()
    assert sorted(offered.split()) == sorted(f"Packages/{name}" for name in files)


@pytest.mark.parametrize("tree", TREES)
def test_no_temporary_files_are_left(host: Host, tree: str) -> None:
    assert len(host.check_output("ls --almost-all %s", tree).split()) == 2


def test_only_the_pinned_key_is_served(host: Host, variable: Callable[[str, Any], Any]) -> None:
    listing = host.check_output(f"gpg --batch --show-keys --with-colons {LINUX}/centos/gpg").splitlines()
    assert len([line for line in listing if line.startswith("pub:")]) == 1
    fingerprint = next(line.split(":")[9] for line in listing if line.startswith("fpr:"))
    assert fingerprint == variable("docker_mirror_gpg_fingerprint", "")


def test_only_root_can_write_the_served_files(host: Host) -> None:
    assert host.check_output(f"find {LINUX} -not -type l -perm /022") == ""
    assert host.check_output(f"find {LINUX} -not -user root") == ""
