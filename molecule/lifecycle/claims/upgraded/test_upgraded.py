# SPDX-License-Identifier: Apache-2.0
"""After the upgrade from 20.10."""

from testinfra.host import Host

PINNED = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")


def test_all_pinned_packages_have_the_new_version(host: Host) -> None:
    assert {host.package(name).version for name in PINNED} == {"26.1.5"}


def test_the_new_engine_runs(host: Host) -> None:
    assert host.check_output("docker version --format '{{.Server.Version}}'").startswith("26.1.5")
