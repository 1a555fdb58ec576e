# SPDX-License-Identifier: Apache-2.0
"""What every user does, on systems newer than EL 9, where the other tests run: newer systemd, dnf, rpm, engines."""

import re

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.mirror import choice

from slipway.docs import support
from slipway.lab import ready, systems
from slipway.lab.lab import Lab
from slipway.lab.paths import PROJECT
from slipway.lab.play import ok
from slipway.lab.systems import System
from slipway.lab.workbench import LabHost, Workbench
from tests.lab.test_check_mode import changes
from tests.lab.test_removal import inventory, remove

NEWER = [system for system in systems.SYSTEMS.values() if system is not systems.DEFAULT]
DOCKER = "https://download.docker.com"
# A repository of packages that another key than Docker's has signed.
WRONGLY_SIGNED = f"""
[wrongly-signed]
name=Wrongly signed
baseurl={DOCKER}/other-signer/linux/centos/9/x86_64/stable
gpgcheck=1
gpgkey={DOCKER}/linux/centos/gpg
"""


@pytest.mark.parametrize("system", NEWER, ids=lambda system: system.name)
def test_an_engine_comes_and_moves_and_goes(lab: Lab, system: System) -> None:
    workbench = Workbench(ready.make_ready("offline", lab.prefix, system))
    try:
        host = workbench.make("test-system")
        before = inventory(host)
        a_dry_run_changes_nothing(host)
        dnf_checks_signatures_and_gives_its_reason(host)
        engines = versions(host, system)
        assert set(engines) == engines_in_the_support_table(system)
        for version in engines:
            an_engine_of(host, version)
        the_reason_is_dockerd_s_own(host)
        claims = host.verify("test_engine.py")
        assert claims.returncode == 0, claims.stdout
        assert remove(host)
        assert inventory(host) == before
    finally:
        workbench.clear()


@pytest.mark.slow
@pytest.mark.parametrize(("distribution", "release"), [("rhel", "8"), ("almalinux", "8"), ("rhel", "9")])
def test_an_engine_comes_from_the_tree_of_the_release(workbench: Workbench, distribution: str, release: str) -> None:
    """On a host of EL 9 that says it is another."""
    host = workbench.make("test-tree")
    host.sh(f"sed -i 's/^ID=.*/ID={distribution}/; s/^VERSION_ID=.*/VERSION_ID={release}/' /etc/os-release")
    ok(host.converge("--tags=docker_engine_packages"))
    assert f"/linux/rhel/{release}/" in host.sh("cat /etc/yum.repos.d/docker-ce.repo")
    assert host.run("rpm", "--query", "docker-ce")[0] == 0


def repoquery(system: System, *query: str) -> str:
    """Return the command that queries the system's tree."""
    tree = f"tree,{DOCKER}/linux/{system.tree}/x86_64/stable"
    return " ".join(("dnf --quiet", f"--repofrompath={tree} --repo=tree repoquery", *query))


def versions(host: LabHost, system: System) -> list[str]:
    """Return the engines of the system's tree, the oldest first, from the builds that docker_mirror finds in it."""
    builds = choice.parse(host.sh(repoquery(system, f"--queryformat='{choice.FORMAT}'")))
    places = host.sh(repoquery(system, "--location")).split()
    assert sorted(build.file for build in builds) == sorted(place.rpartition("/")[2] for place in places)
    engines = [build.package.version for build in builds if build.package.name == choice.ENGINE]
    return sorted(engines, key=lambda version: [int(part) for part in version.split(".")])


def engines_in_the_support_table(system: System) -> set[str]:
    """Return the engines that docs/support.yml says run on the system with every change."""
    rows = [row for row in support.load(PROJECT)[0] if row.tree == system.tree]
    return {str(engine) for row in rows for run in row.of("every-change") for engine in run["engines"]}


def a_dry_run_changes_nothing(host: LabHost) -> None:
    """Also a dry run that chooses the image store."""
    before = changes(host)
    run = ok(host.converge("--check", "--diff", docker_engine_image_store="containerd"))
    assert '"containerd-snapshotter": true' in run.output.replace('\\"', '"')
    assert changes(host) == before


def dnf_checks_signatures_and_gives_its_reason(host: LabHost) -> None:
    """Before an engine is stopped, dnf only tests the transaction, which must find a wrong signature."""
    host.sh(f"cat > /etc/yum.repos.d/wrongly-signed.repo <<'END'\n{WRONGLY_SIGNED}\nEND")
    wanted = {"packages": ["docker-ce-cli"], "state": "downloaded"}, {"packages": ["no-such-package"]}
    wrongly_signed, unknown = host.attempts(*({"slipway.platform.trusted_packages": one} for one in wanted))
    host.sh("rm /etc/yum.repos.d/wrongly-signed.repo")
    assert re.search("GPG check FAILED|Signature verification failed", wrongly_signed["msg"])
    assert host.run("rpm", "--query", "docker-ce-cli")[0] == 1
    assert "no-such-package" in unknown["msg"]


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


def the_reason_is_dockerd_s_own(host: LabHost) -> None:
    """Not a line of containerd 2, whose disabled plugins fail to load in every trial start."""
    (refused,) = host.attempts({"slipway.platform.docker_daemon": {"options": {"labels": ["a=1", "a=2"]}}})
    assert "(conflict labels for a=2 and a=1)" in refused["msg"]
