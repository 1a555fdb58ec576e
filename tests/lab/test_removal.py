# SPDX-License-Identifier: Apache-2.0
"""The engine goes as cleanly as it came, and data only when somebody says so."""

import pytest

from slipway.lab.workbench import LabHost, Workbench

SLEEPER = (
    "docker load --quiet --input /usr/share/slipway/hello.tar; docker run --detach --restart {} slipway/hello sleep 600"
)


def inventory(host: LabHost) -> str:
    """Return what is on the host that an engine could have brought: packages, groups, files, processes.

    Of processes in two questions: a pattern of more than 15 characters would never match.
    """
    return host.sh(
        "rpm --query --all | sort; getent group | cut -d: -f1 | sort;"
        "find /etc /usr/lib/systemd/system /lib/systemd/system /var/lib/slipway /run/docker.sock 2>/dev/null | sort -u"
        " | grep --invert-match --extended-regexp '^/etc/(machine-id|resolv.conf|group-|gshadow-)';"
        "pgrep --list-name docker || true; pgrep --list-name containerd || true"
    )


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    return workbench.make("test-removal")


@pytest.fixture
def engine_host(workbench: Workbench) -> LabHost:
    """A host with a running engine."""
    return workbench.make_converged("test-removal")


def remove(host: LabHost, *options: str, purge: bool = False) -> list[str]:
    """Remove the engine; return the tasks that changed something."""
    run = host.converge(*options, docker_engine_state="absent", docker_engine_purge_data=purge)
    assert run.status == 0, run.output
    return run.changed(host.name)


def test_removal_leaves_the_host_as_a_fresh_one(fresh_host: LabHost, engine_host: LabHost) -> None:
    assert remove(engine_host)
    assert inventory(engine_host) == inventory(fresh_host)


@pytest.mark.slow
def test_removal_leaves_the_host_as_it_was_but_for_the_data(host: LabHost) -> None:
    """Fault: the engine is removed. Outcome: the host is as it was before, and data is kept."""
    before = inventory(host)
    converged = host.converge(
        docker_access_members=["alice"],
        docker_access_socket_mode="0600",
        docker_engine_daemon_options={"hosts": ["fd://", "tcp://127.0.0.1:2375"]},
        docker_engine_proxy={"http": "http://localhost:3128", "no_proxy": "download.docker.com"},
    )
    assert converged.status == 0, converged.output
    host.sh(SLEEPER.format("always") + "; docker volume create precious")

    predicted = remove(host, "--check", "--diff")
    assert host.sh("systemctl is-active docker.service") == "active"
    changed = remove(host)
    assert predicted == changed
    assert inventory(host) == before
    assert host.run("pgrep", "containerd-shim")[0] == 1, "a container has outlived its engine"
    assert host.run("ls", "/var/lib/docker/volumes/precious")[0] == 0
    assert remove(host) == []


@pytest.mark.slow
def test_an_engine_that_comes_back_finds_its_data(engine_host: LabHost) -> None:
    engine_host.sh(SLEEPER.format("unless-stopped"))
    remove(engine_host)
    assert engine_host.converge().status == 0
    assert engine_host.sh("docker ps --quiet --filter ancestor=slipway/hello"), "the restart policy was lost"


@pytest.mark.slow
def test_data_goes_only_when_told_to(engine_host: LabHost) -> None:
    refused = engine_host.converge(docker_engine_purge_data=True)
    assert refused.status != 0
    assert "docker_engine_state: absent" in refused.failure(engine_host.name)

    engine_host.sh(SLEEPER.format("no"))
    predicted = remove(engine_host, "--check", "--diff", purge=True)
    assert engine_host.sh("docker ps --quiet")
    assert remove(engine_host, purge=True) == predicted
    assert engine_host.sh("ls -A /var/lib/docker; ls -A /var/lib/containerd") == ""
    assert remove(engine_host, purge=True) == []


@pytest.mark.slow
def test_what_no_engine_made_is_not_purged(engine_host: LabHost) -> None:
    """Fault: a purge of a directory that holds somebody's files. Outcome: refused; no data is removed."""
    engine_host.sh("touch /var/lib/docker/thesis.tex")
    run = engine_host.converge(docker_engine_state="absent", docker_engine_purge_data=True)
    assert run.status != 0
    assert "thesis.tex" in run.failure(engine_host.name)
    assert engine_host.sh("ls /var/lib/docker/thesis.tex /var/lib/docker/image")


@pytest.mark.slow
def test_a_half_installed_host_is_cleaned(host: LabHost) -> None:
    """Fault: the engine is removed from a half-installed host. Outcome: packages and group are gone.

    A play that was killed after the packages came, and one that never got that far.
    """
    assert host.converge("--tags=docker_engine_packages").status == 0
    host.sh("rm /usr/bin/dockerd; systemctl stop docker.socket")
    host.sh("rm -f /etc/docker/daemon.json; mkdir -p /etc/docker")
    remove(host)
    assert host.run("ls", "/etc/docker")[0] == 2, "an empty directory is left"
    assert host.run("rpm", "--query", "docker-ce", "containerd.io")[0] == 2
    assert host.run("getent", "group", "docker")[0] == 2
    assert remove(host) == []


@pytest.mark.slow
def test_a_group_and_a_file_of_somebody_else_stay(host: LabHost) -> None:
    host.sh("groupadd --gid 4711 docker")
    assert host.converge().status == 0
    host.sh("echo '{}' > /etc/docker/daemon.json")
    remove(host)
    assert host.sh("getent group docker") == "docker:x:4711:"
    assert host.sh("cat /etc/docker/daemon.json") == "{}"
