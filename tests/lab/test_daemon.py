# SPDX-License-Identifier: Apache-2.0
"""The engine survives its own configuration (faults 1, 2, 3 and 14)."""

import json
from typing import Any

import pytest

from slipway.lab.workbench import LabHost, Workbench

# Each kills dockerd at its start; most pass `dockerd --validate`.
DEADLY = {
    "storage driver": ({"storage-driver": "nonsense"}, "nonsense"),
    "storage option": ({"storage-driver": "overlay2", "storage-opts": ["nonsense=1"]}, "nonsense"),
    "log option": ({"log-opts": {"nonsense": "1"}}, "nonsense"),
    "bridge address": ({"bip": "nonsense"}, "nonsense"),
    "address pools": ({"default-address-pools": [{"base": "10.0.0.0/8", "size": 7}]}, "pool"),
    "cgroup driver": ({"exec-opts": ["native.cgroupdriver=nonsense"]}, "nonsense"),
    "default runtime": ({"default-runtime": "nonsense"}, "nonsense"),
    "seccomp profile": ({"seccomp-profile": "/nonsense.json"}, "nonsense"),
    "authorization plugin": ({"authorization-plugins": ["nonsense"]}, "nonsense"),
    "missing bridge": ({"bridge": "nonsense0"}, "nonsense0"),
    "wrong type": ({"mtu": "nonsense"}, "mtu"),
    "mirror with userinfo": ({"registry-mirrors": ["https://user@mirror.example.com"]}, "mirror"),
}


def engine_state(host: LabHost) -> str:
    """Return the daemon's process and files, and the containers that run."""
    return host.sh(
        "systemctl show docker.service --property=MainPID,ActiveState --value;"
        "cat /etc/docker/daemon.json; ls -R /etc/systemd/system/docker.service.d 2>/dev/null || true;"
        "docker ps --quiet --no-trunc"
    )


def starts(host: LabHost) -> int:
    """Return how often the daemon has been started since the host booted."""
    return host.sh("journalctl --boot --unit=docker.service --output=cat").count("Starting docker.service")


@pytest.fixture(scope="module")
def old_engine_host(workbench: Workbench) -> LabHost:
    """A host with the older of the two engines, which has no --validate."""
    host = workbench.make("test-old-engine")
    converged = host.converge(docker_engine_version="20.10")
    assert converged.status == 0, converged.output
    return host


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    """A host of the test's own, with a running engine."""
    host = workbench.make("test-daemon")
    converged = host.converge()
    assert converged.status == 0, converged.output
    return host


@pytest.mark.parametrize(("options", "word"), DEADLY.values(), ids=DEADLY.keys())
def test_options_that_would_kill_the_daemon_are_refused(
    converged_host: LabHost, options: dict[str, Any], word: str
) -> None:
    """Fault 1: the old file, the daemon's process and its containers are as they were."""
    before = engine_state(converged_host)
    run = converged_host.converge(docker_engine_daemon_options=options)
    assert run.status != 0
    assert word in run.failure(converged_host.name)
    assert "docker_engine_daemon_options" in run.failure(converged_host.name)
    assert engine_state(converged_host) == before
    assert converged_host.sh("pgrep --exact --count dockerd") == "1", "the shadow has outlived its proof"


@pytest.mark.parametrize("name", ["storage driver", "default runtime", "log option"])
def test_an_engine_without_validate_is_proven_too(old_engine_host: LabHost, name: str) -> None:
    options, _ = DEADLY[name]
    before = engine_state(old_engine_host)
    run = old_engine_host.converge(docker_engine_version="20.10", docker_engine_daemon_options=options)
    assert run.status != 0
    assert "dockerd 20.10.24" in run.failure(old_engine_host.name)
    assert "refuses the new /etc/docker/daemon.json" in run.failure(old_engine_host.name)
    assert engine_state(old_engine_host) == before


def test_the_first_install_starts_the_daemon_once(converged_host: LabHost) -> None:
    assert starts(converged_host) == 1


def test_three_changes_cost_one_restart_and_containers_live_through_it(host: LabHost) -> None:
    """Fault 3, first half."""
    host.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
    container = host.sh("docker run --detach --entrypoint /bin/busybox slipway/hello sleep 600")
    process = "docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' " + container
    before = host.sh(process)
    run = host.converge(
        docker_engine_daemon_options={"debug": True, "hosts": ["fd://", "tcp://127.0.0.1:2375"]},
        docker_engine_proxy={"http": "http://localhost:3128", "no_proxy": "localhost,127.0.0.1,download.docker.com"},
    )
    assert run.status == 0, run.output
    assert starts(host) == 2
    assert host.sh(process) == before
    info = json.loads(host.sh("docker --host tcp://127.0.0.1:2375 info --format '{{json .}}'"))
    assert info["Debug"] is True
    assert info["HttpProxy"] == "http://localhost:3128"

    # And back: the drop-in goes with the options that needed it.
    run = host.converge()
    assert run.status == 0, run.output
    assert starts(host) == 3
    assert host.run("ls", "/etc/systemd/system/docker.service.d/slipway.conf")[0] != 0
    assert host.sh(process) == before


def test_a_start_limited_daemon_is_recovered(host: LabHost) -> None:
    """Fault 3, second half."""
    host.run("sh", "-c", "for _ in 1 2 3 4 5 6; do systemctl restart docker.service; done")
    assert host.sh("systemctl show docker.service --property=Result --value") == "start-limit-hit"
    run = host.converge()
    assert run.status == 0, run.output
    assert host.sh("systemctl is-active docker.service") == "active"


def test_a_restart_that_fails_brings_the_old_configuration_back(host: LabHost) -> None:
    """Fault 2. The shadow start cannot see that the port is taken: it has a network of its own."""
    before = host.sh("cat /etc/docker/daemon.json")
    host.sh("systemd-run --unit=squatter python3 -m http.server 2375 --bind 127.0.0.1")
    host.sh("until curl --silent --fail --output /dev/null http://127.0.0.1:2375; do sleep 0.1; done")
    run = host.converge(docker_engine_daemon_options={"hosts": ["fd://", "tcp://127.0.0.1:2375"]})
    assert run.status != 0
    message = run.failure(host.name)
    assert "address already in use" in message
    assert "previous configuration is back" in message
    assert host.sh("cat /etc/docker/daemon.json") == before
    assert host.run("ls", "/etc/systemd/system/docker.service.d/slipway.conf")[0] != 0
    assert host.sh("docker version --format '{{.Server.Version}}'")
    assert host.converge().status == 0


def test_a_run_that_was_killed_before_its_restart_is_made_good(host: LabHost) -> None:
    """The play ends after daemon.json is written; the next run finds nothing to write, and restarts all the same."""
    options = {"docker_engine_daemon_options": {"debug": True}}
    assert host.converge("--tags=docker_engine_daemon", **options).status == 0
    assert "false" in host.sh("docker info --format '{{.Debug}}'")
    run = host.converge(**options)
    assert run.status == 0, run.output
    assert "true" in host.sh("docker info --format '{{.Debug}}'")
    assert starts(host) == 2
    assert host.converge(**options).changed(host.name) == []


def test_an_engine_whose_program_was_replaced_is_restarted(host: LabHost) -> None:
    """As after an upgrade by hand whose scriptlet did not restart it, or was killed before."""
    host.sh("cp --preserve /usr/bin/dockerd /usr/bin/dockerd.new; mv /usr/bin/dockerd.new /usr/bin/dockerd")
    run = host.converge()
    assert run.status == 0, run.output
    assert starts(host) == 2
    assert host.converge().changed(host.name) == []


def test_a_file_that_somebody_else_wrote_is_kept_as_a_backup(workbench: Workbench) -> None:
    host = workbench.make("test-daemon")
    host.sh("mkdir -p /etc/docker; echo '{\"debug\": true,' > /etc/docker/daemon.json")
    run = host.converge()
    assert run.status == 0, run.output
    assert '{"debug": true,' in host.sh("cat /etc/docker/daemon.json.*")


def test_a_reboot_changes_nothing(host: LabHost) -> None:
    """Fault 14."""
    socket = "stat --format '%U %G %a' /run/docker.sock"
    before = host.sh(socket)
    host.reboot()
    assert host.sh("systemctl is-active docker.service") == "active"
    assert host.sh(socket) == before
    assert host.converge().changed(host.name) == []
