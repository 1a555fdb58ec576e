# SPDX-License-Identifier: Apache-2.0
"""After the downgrade to 20.10, while the repository has 26.1.5."""

from testinfra.host import Host

PINNED = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")


def test_all_pinned_packages_have_the_old_version(host: Host) -> None:
    assert {host.package(name).version for name in PINNED} == {"20.10.24"}


def test_the_old_engine_runs(host: Host) -> None:
    assert host.check_output("docker version --format '{{.Server.Version}}'").startswith("20.10.24")


def test_the_pin_holds_against_a_plain_update(host: Host) -> None:
    """Fault: a plain `dnf update` on a host with a pinned engine. Outcome: the engine stays within the pin.

    dnf exits with 100 if there are updates.
    """
    assert host.run("dnf --quiet check-update %s %s %s", *PINNED).rc == 0
