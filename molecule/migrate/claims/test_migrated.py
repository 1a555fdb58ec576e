# SPDX-License-Identifier: Apache-2.0
"""The data of the historic engine is available in the new one."""

from testinfra.host import Host


def test_only_the_new_engine_is_installed(host: Host) -> None:
    assert host.package("docker-ce").is_installed
    assert not host.package("docker-engine").is_installed


def test_volumes_keep_their_content(host: Host) -> None:
    treasure = host.check_output("docker run --rm --volume=precious:/data slipway/hello cat /data/treasure")
    assert treasure == "gold"


def test_the_restart_policy_restarts_the_container(host: Host) -> None:
    assert host.check_output("docker inspect --format '{{.State.Status}}' survivor") == "running"


def test_no_container_runs_without_its_engine(host: Host) -> None:
    """Fault: an engine with live-restore is replaced by another package. Outcome: its containers stop with it, restart
    policies start them again, and none is left without an engine.
    """
    known = host.check_output("docker ps --quiet").splitlines()
    assert len(host.process.filter(comm="containerd-shim")) == len(known)
