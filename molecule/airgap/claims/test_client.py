# SPDX-License-Identifier: Apache-2.0
"""The air-gapped host: everything on it came from the mirror."""

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


def test_the_docker_repository_is_unreachable(host: Host) -> None:
    assert not host.addr("download.docker.com").is_resolvable
    assert host.run("curl --silent --max-time 3 https://download.docker.com/linux/centos/gpg").rc != 0


def test_the_engine_has_the_version_configured_on_the_mirror(host: Host) -> None:
    """Fault: the only server in reach is a mirror. Outcome: the host converges.

    Docker's own repository has 26.1.5, and this host has no pin.
    """
    assert host.check_output("docker version --format '{{.Server.Version}}'").startswith("20.10.24")


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_signed_by_the_pinned_key(host: Host, variable: Callable[[str, Any], Any], package: str) -> None:
    pinned = variable("docker_engine_gpg_fingerprint", "")
    signature = host.check_output("rpm --query --queryformat '%%{RSAHEADER:pgpsig}' %s", package)
    assert signature.split()[-1] == pinned[-16:].lower()
