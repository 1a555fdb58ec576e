# SPDX-License-Identifier: Apache-2.0
"""The engine survives its own configuration (faults 1, 2, 3 and 14)."""

import json
import time
from typing import Any

import pytest

from slipway.lab.workbench import LabHost, Workbench

# Each kills dockerd at its start; most pass `dockerd --validate`.
DEADLY: dict[str, tuple[dict[str, Any], str]] = {
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
    return host.journal("--boot", "--unit=docker.service", "--output=cat").count("Starting docker.service")


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    """A host of the test's own, with a running engine."""
    return workbench.make_converged("test-daemon")


def refusals(host: LabHost, *names: str) -> dict[str, str]:
    """Have docker_daemon refuse deadly options by name; return its messages. The engine is as it was before."""
    before = engine_state(host)
    tasks = [
        {"slipway.platform.docker_daemon": {"options": {"live-restore": True} | DEADLY[name][0]}} for name in names
    ]
    results = host.attempts(*tasks)
    assert engine_state(host) == before
    assert host.sh("pgrep --exact --count dockerd") == "1", "the trial has outlived its proof"
    return {name: result["msg"] for name, result in zip(names, results, strict=True) if result["failed"]}


# The others are slow, since each costs a start of dockerd.
FEW = ["storage driver", "log option", "default runtime", "authorization plugin", "wrong type"]


@pytest.mark.parametrize(
    "names", [FEW, pytest.param([*DEADLY.keys() - FEW], marks=pytest.mark.slow)], ids=["few", "others"]
)
def test_options_that_would_kill_the_daemon_are_refused(converged_host: LabHost, names: list[str]) -> None:
    """Fault: options that stop dockerd from starting. Outcome: refused; files, process and containers stay as they
    were.
    """
    refused = refusals(converged_host, *names)
    for name in names:
        assert DEADLY[name][1] in refused[name]
        assert "docker_engine_daemon_options" in refused[name]


def test_a_run_of_the_site_ends_at_deadly_options(converged_host: LabHost) -> None:
    options, word = DEADLY["storage driver"]
    before = engine_state(converged_host)
    run = converged_host.converge(docker_engine_daemon_options=options)
    assert run.status != 0
    assert word in run.failure(converged_host.name)
    assert engine_state(converged_host) == before


@pytest.mark.slow
def test_an_engine_without_validate_is_proven_too(workbench: Workbench) -> None:
    """Fault: options that stop dockerd from starting, on an engine that has no `--validate`. Outcome: refused; files,
    process and containers stay as they were.
    """
    host = workbench.make_converged("test-old-engine", docker_engine_version="20.10")
    refused = refusals(host, "storage driver", "default runtime", "log option")
    assert len(refused) == 3
    for message in refused.values():
        assert "dockerd 20.10.24" in message
        assert "rejects the new /etc/docker/daemon.json" in message


def test_three_changes_cost_one_restart_and_containers_live_through_it(host: LabHost) -> None:
    """Fault: three settings change in one run. Outcome: one restart, and containers keep running."""
    host.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
    container = host.sh("docker run --detach --entrypoint /bin/busybox slipway/hello sleep 600")
    process = "docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' " + container
    before = host.sh(process)
    run = host.converge(
        docker_engine_daemon_options={"debug": True, "hosts": ["fd://", "tcp://127.0.0.1:2375"]},
        docker_engine_proxy={"http": "http://localhost:3128", "no_proxy": "localhost,127.0.0.1,download.docker.com"},
        docker_engine_nofile=4096,
    )
    assert run.status == 0, run.output
    assert starts(host) == 2
    assert host.sh(process) == before
    info = json.loads(host.sh("docker --host tcp://127.0.0.1:2375 info --format '{{json .}}'"))
    assert info["Debug"] is True
    assert info["HttpProxy"] == "http://localhost:3128"
    assert host.sh("docker run --rm --entrypoint /bin/busybox slipway/hello sh -c 'ulimit -n'").strip() == "4096"

    # And back: the drop-in goes with the options that needed it.
    run = host.converge()
    assert run.status == 0, run.output
    assert starts(host) == 3
    assert host.run("ls", "/etc/systemd/system/docker.service.d/slipway.conf")[0] != 0
    assert host.sh(process) == before


@pytest.mark.slow
def test_a_start_limited_daemon_is_recovered(host: LabHost) -> None:
    """Fault: the daemon was stopped by systemd's start limit. Outcome: the next run recovers it."""
    host.run("sh", "-c", "for _ in 1 2 3 4 5 6; do systemctl restart docker.service; done")
    assert host.sh("systemctl show docker.service --property=Result --value") == "start-limit-hit"
    run = host.converge()
    assert run.status == 0, run.output
    assert host.sh("systemctl is-active docker.service") == "active"


def test_a_restart_that_fails_brings_the_old_configuration_back(host: LabHost) -> None:
    """Fault: the restart fails because a port is taken. Outcome: the previous files are back, the engine runs, and the
    message quotes the journal.

    The shadow start cannot see that the port is taken: it has a network of its own.
    """
    before = host.sh("cat /etc/docker/daemon.json")
    host.sh("systemd-run --unit=squatter python3 -m http.server 2375 --bind 127.0.0.1")
    host.sh("until curl --silent --fail --output /dev/null http://127.0.0.1:2375; do sleep 0.1; done")
    run = host.converge(docker_engine_daemon_options={"hosts": ["fd://", "tcp://127.0.0.1:2375"]})
    assert run.status != 0
    message = run.failure(host.name)
    assert "address already in use" in message
    assert "previous configuration was restored" in message
    assert host.sh("cat /etc/docker/daemon.json") == before
    assert host.run("ls", "/etc/systemd/system/docker.service.d/slipway.conf")[0] != 0
    assert host.sh("docker version --format '{{.Server.Version}}'")
    assert host.converge().status == 0


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_restart_is_made_good(host: LabHost) -> None:
    """Fault: the play is killed after it wrote `daemon.json` and before the restart. Outcome: the next run restarts the
    engine.

    The play ends after daemon.json is written; the next run finds nothing to write, and restarts all the same.
    """
    options = {"docker_engine_daemon_options": {"debug": True}}
    host.converge_until(lambda line: "[slipway.platform.docker_access : " in line, **options)
    assert "false" in host.sh("docker info --format '{{.Debug}}'")
    run = host.converge(**options)
    assert run.status == 0, run.output
    assert "true" in host.sh("docker info --format '{{.Debug}}'")
    assert starts(host) == 2
    assert host.converge(**options).changed(host.name) == []


@pytest.mark.slow
def test_an_engine_whose_program_was_replaced_is_restarted(host: LabHost) -> None:
    """Fault: the program dockerd was replaced under a running engine. Outcome: one restart.

    As after an upgrade by hand whose scriptlet did not restart it, or was killed before.
    """
    host.sh("cp --preserve /usr/bin/dockerd /usr/bin/dockerd.new; mv /usr/bin/dockerd.new /usr/bin/dockerd")
    run = host.converge()
    assert run.status == 0, run.output
    assert starts(host) == 2
    assert host.converge().changed(host.name) == []


@pytest.mark.slow
def test_a_containerd_whose_program_was_replaced_is_restarted(host: LabHost) -> None:
    """Fault: the program containerd was replaced under a running engine. Outcome: one restart of both."""
    host.sh("cp --preserve /usr/bin/containerd /usr/bin/c.new; mv /usr/bin/c.new /usr/bin/containerd")
    run = host.converge()
    assert run.status == 0, run.output
    assert host.sh("readlink /proc/$(pidof containerd)/exe") == "/usr/bin/containerd"
    assert starts(host) == 2
    assert host.converge().changed(host.name) == []


@pytest.mark.slow
def test_a_broken_configuration_of_containerd_is_told_in_its_own_words(host: LabHost) -> None:
    """Fault: containerd's config.toml is broken, and the engine is down. Outcome: containerd's own sentence."""
    host.sh("mkdir -p /etc/containerd; test ! -e /etc/containerd/config.toml || mv /etc/containerd/config.toml /root")
    host.sh(
        "echo nonsense >/etc/containerd/config.toml; systemctl stop docker.socket docker.service containerd.service"
    )
    begin = time.monotonic()
    message = host.converge().failure(host.name)
    assert "docker.service did not start: containerd: failed to load TOML" in message
    assert time.monotonic() - begin < 60
    host.sh("rm /etc/containerd/config.toml; test ! -e /root/config.toml || mv /root/config.toml /etc/containerd")
    assert host.converge().status == 0


@pytest.mark.slow
def test_a_directory_in_the_socket_s_place_is_named(host: LabHost) -> None:
    """Fault: `/run/docker.sock` is a directory. Outcome: refused with the remedy; nothing changes."""
    host.sh("systemctl stop docker.socket docker.service; rm -f /run/docker.sock; mkdir /run/docker.sock")
    message = host.converge().failure(host.name)
    assert "/run/docker.sock is a directory, so the engine cannot create its socket there: run rmdir" in message
    host.sh("rmdir /run/docker.sock")
    assert host.converge().status == 0


@pytest.mark.slow
def test_a_group_that_is_missing_while_the_engine_is_down_is_created(host: LabHost) -> None:
    """Fault: the group docker is missing and the engine is down. Outcome: created, with a warning."""
    host.sh("systemctl stop docker.socket docker.service; groupdel docker")
    run = host.converge()
    assert run.status == 0, run.output
    assert "The group docker of docker.socket did not exist and was created" in " ".join(run.warnings(host.name))
    assert host.sh("stat --format %G /run/docker.sock") == "docker"


@pytest.mark.slow
def test_a_slow_engine_is_waited_for_or_left_to_start(host: LabHost) -> None:
    """Fault: dockerd takes longer to start than the limit. Outcome: the play fails, the engine is left to start, and
    the next run finds it.
    """
    command = '/bin/sh -c "sleep 15; exec /usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"'
    drop_in = "/etc/systemd/system/docker.service.d/slow.conf"
    host.sh(f"mkdir -p $(dirname {drop_in}); printf '[Service]\nExecStart=\nExecStart={command}\n' >{drop_in}")
    options = {"docker_engine_daemon_options": {"debug": True}}
    run = host.converge(docker_engine_start_timeout=5, **options)
    assert "docker.service is still starting: it is not ready within 5 seconds" in run.failure(host.name)
    assert host.sh("systemctl show docker.service --property=ActiveState --value") == "activating"
    assert '"debug": true' in host.sh("cat /etc/docker/daemon.json")
    run = host.converge(**options)
    assert run.status == 0, run.output
    assert starts(host) == 2
    assert host.sh("docker info --format '{{.Debug}}'") == "true"


@pytest.mark.slow
def test_a_file_that_somebody_else_wrote_is_kept_as_a_backup(workbench: Workbench) -> None:
    """Fault: somebody has left a broken `daemon.json`. Outcome: replaced, and kept as a backup."""
    host = workbench.make("test-daemon")
    host.sh("mkdir -p /etc/docker; echo '{\"debug\": true,' > /etc/docker/daemon.json")
    run = host.converge()
    assert run.status == 0, run.output
    assert '{"debug": true,' in host.sh("cat /etc/docker/daemon.json.*")


@pytest.mark.slow
def test_a_reboot_changes_nothing(host: LabHost) -> None:
    """Fault: the host reboots. Outcome: everything is as before."""
    socket = "stat --format '%U %G %a' /run/docker.sock"
    before = host.sh(socket)
    host.reboot()
    assert host.sh("systemctl is-active docker.service") == "active"
    assert host.sh(socket) == before
    assert host.converge().changed(host.name) == []
