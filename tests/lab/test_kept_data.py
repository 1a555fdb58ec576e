# SPDX-License-Identifier: Apache-2.0
"""No option, file or drop-in of the host takes data from the engine, or leaves containers without it, unnoticed."""

import json
from typing import Any

import pytest

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench

pytestmark = pytest.mark.slow
LOAD = "docker load --quiet --input /usr/share/slipway/hello.tar"
SLEEPER = f"{LOAD} > /dev/null; docker run --detach --restart always --entrypoint /bin/busybox slipway/hello sleep 600"
STORE = {"features": {"containerd-snapshotter": True}}
OVERRIDE = "/etc/systemd/system/docker.service.d/override.conf"
COMMAND = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    """A host with a running engine."""
    return workbench.make_converged("test-kept")


def state(host: LabHost) -> str:
    return host.sh(
        "cat /etc/docker/daemon.json; systemctl show docker.service --property=MainPID; docker ps --quiet --no-trunc"
    )


def override(host: LabHost, flags: str) -> None:
    host.sh(
        f"mkdir -p $(dirname {OVERRIDE}); printf '[Service]\\nExecStart=\\nExecStart={COMMAND} {flags}\\n' >{OVERRIDE};"
        "systemctl daemon-reload"
    )


def test_options_that_hide_data_are_refused_beside_them(host: LabHost) -> None:
    """Fault: an option that hides images and containers, or orphans what runs. Outcome: refused with both ways out;
    when told to leave the data, containers stop with their engine.
    """
    cases: dict[str, dict[str, Any]] = {
        "userns-remap": {"userns-remap": "default"},
        "storage-driver": {"storage-driver": "vfs"},
        "features.containerd-snapshotter": STORE,
        "containerd-namespace": {"containerd-namespace": "elsewhere"},
        "exec-root": {"exec-root": "/run/elsewhere"},
    }
    container = host.sh(SLEEPER)
    before = state(host)
    settings = {name: {"docker_engine_daemon_options": options} for name, options in cases.items()}
    for name, message in host.refusals("docker_engine", settings).items():
        assert f"a change of {name} from " in message
        assert "nothing was changed" in message
        assert "docker_engine_data_root_leave_data: true" in message
    assert state(host) == before
    ok(host.converge(docker_engine_daemon_options={"storage-driver": "overlay2"}))
    assert host.sh("docker ps --quiet --no-trunc") == container, "it is the driver in use"

    ok(host.converge(docker_engine_daemon_options=STORE, docker_engine_data_root_leave_data=True))
    assert host.run("pgrep", "containerd-shim")[0] == 1, "a container has outlived its engine"
    assert host.sh("docker ps --all --quiet") == ""
    assert "true" in host.sh("docker info --format '{{.LiveRestoreEnabled}}'")
    ok(host.converge())
    assert host.sh("docker ps --quiet --no-trunc") == container


def test_a_file_of_somebody_else_is_not_replaced_beside_data_that_it_decides_about(host: LabHost) -> None:
    """Fault: somebody else's `daemon.json` has `userns-remap`, and the engine has data. Outcome: refused with both ways
    out; when its option is set, containers stay, and a warning names what goes with the file.
    """
    foreign = json.dumps({"userns-remap": "default", "live-restore": True, "debug": True})
    host.sh(f"printf '\\357\\273\\277%s' '{foreign}' >/etc/docker/daemon.json; systemctl restart docker.service")
    container = host.sh(f"{LOAD} > /dev/null; docker create slipway/hello")  # /proc cannot be mounted in nested ones
    before = state(host)
    failure = host.converge().failure(host.name)
    assert "has images and containers" in failure
    assert "set userns-remap: default in docker_engine_daemon_options to keep them" in failure
    assert state(host) == before
    run = ok(host.converge(docker_engine_daemon_options={"userns-remap": "default"}))
    assert "Its options debug are lost or change" in " ".join(run.warnings(host.name))
    assert host.sh("docker ps --all --quiet --no-trunc") == container


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--log-driver=journald", "starts dockerd with --log-driver, and daemon.json sets log-driver"),
        ("--data-root /data", "set docker_engine_data_root: /data and remove the flag from that file"),
    ],
)
def test_flags_by_hand_are_named_before_anything_is_installed(workbench: Workbench, flags: str, words: str) -> None:
    """Fault: a drop-in by hand with a flag of dockerd, on a host without an engine. Outcome: refused with file and
    flag; nothing is installed.
    """
    host = workbench.make("test-kept")
    override(host, flags)
    failure = host.converge().failure(host.name)
    assert f"{OVERRIDE} starts" in failure
    assert words in failure
    assert host.run("rpm", "--query", "docker-ce")[0] == 1


def test_a_listener_does_not_replace_a_command_by_hand(host: LabHost) -> None:
    """Fault: a drop-in by hand with flags, then `docker_access_tls`. Outcome: refused with file and flags."""
    override(host, "--label=by-hand")
    ok(host.converge())
    tls = {"ca": "authority", "cert": "certificate", "key": "secret"}
    failure = host.apply("docker_access", docker_access_tls=tls).failure(host.name)
    assert f"{OVERRIDE} sets ExecStart with --containerd --host --label, which docker_access_tls needs" in failure


def test_an_option_of_a_newer_engine_is_refused_before_the_first_installation(fresh_host: LabHost) -> None:
    """Fault: an option that the repository's newest engine lacks, on a host without one. Outcome: refused; no package
    is installed.
    """
    run = fresh_host.converge(docker_engine_daemon_options={"bridge-accept-fwmark": "1"})
    assert "bridge-accept-fwmark is new in engine 29.0" in run.failure(fresh_host.name)
    assert fresh_host.run("rpm", "--query", "docker-ce")[0] == 1
