# SPDX-License-Identifier: Apache-2.0
"""What every user does, on systems newer than EL 9, where the other tests run: newer systemd, dnf, rpm, engines."""

import pytest

from slipway.lab import ready, systems
from slipway.lab.lab import Lab
from slipway.lab.play import ok
from slipway.lab.systems import System
from slipway.lab.workbench import LabHost, Workbench
from tests.lab.test_check_mode import changes
from tests.lab.test_removal import inventory, remove

NEWER = [system for system in systems.SYSTEMS.values() if system is not systems.DEFAULT]


@pytest.mark.parametrize("system", NEWER, ids=lambda system: system.name)
def test_an_engine_comes_and_moves_and_goes(lab: Lab, system: System) -> None:
    workbench = Workbench(ready.make_ready("offline", lab.prefix, system))
    try:
        host = workbench.make("test-system")
        before = inventory(host)
        a_dry_run_changes_nothing(host)
        for version in versions(host, system):
            an_engine_of(host, version)
        claims = host.verify("test_engine.py")
        assert claims.returncode == 0, claims.stdout
        assert remove(host)
        assert inventory(host) == before
    finally:
        workbench.clear()


def versions(host: LabHost, system: System) -> list[str]:
    """Return the engines of the system's tree, the oldest first."""
    tree = f"tree,https://download.docker.com/linux/{system.tree}/x86_64/stable"
    found = host.sh(f"dnf --quiet --repofrompath={tree} --repo=tree repoquery --qf '%{{version}}\\n' docker-ce").split()
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def a_dry_run_changes_nothing(host: LabHost) -> None:
    before = changes(host)
    ok(host.converge("--check", "--diff"))
    assert changes(host) == before


def an_engine_of(host: LabHost, version: str) -> None:
    """Move the engine to the version, beneath a container if one runs, and run a container with it."""
    survivor = host.run("docker", "inspect", "--format", "{{.State.Pid}}", "survivor")
    ok(host.converge(docker_engine_version=version))
    assert ok(host.converge(docker_engine_version=version)).changed(host.name) == []
    assert host.sh("docker version --format '{{.Server.Version}}'").partition("+")[0] == version
    if survivor[0] == 0:
        assert host.run("docker", "inspect", "--format", "{{.State.Pid}}", "survivor") == survivor
    else:
        host.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
        host.sh("docker run --detach --name survivor slipway/hello sleep 3600")
    assert "Hello" in host.sh("docker run --rm slipway/hello")
