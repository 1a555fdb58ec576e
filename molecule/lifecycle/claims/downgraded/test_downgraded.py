# SPDX-License-Identifier: Apache-2.0
"""After the way back to 20.10, while the repository has 26.1.5."""

from testinfra.host import Host

PINNED = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")


def test_the_whole_set_has_the_old_version(host: Host) -> None:
    assert {host.package(name).version for name in PINNED} == {"20.10.24"}


def test_the_old_engine_runs(host: Host) -> None:
    assert host.check_output("docker version --format '{{.Server.Version}}'").startswith("20.10.24")


def test_the_pin_holds_against_a_plain_update(host: Host) -> None:
    """dnf ends with 100 when there is something to update."""
    assert host.run("dnf --quiet check-update %s %s %s", *PINNED).rc == 0
