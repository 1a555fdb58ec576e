# SPDX-License-Identifier: Apache-2.0
"""The choice of the engine that runs the lab, and the messages if it cannot."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.lab import engine, locking, private_engine
from slipway.lab.errors import LabError
from slipway.lab.setting import Setting

VERSION = {"Version": "28.5.2", "ApiVersion": "1.51"}
INFO = {"OSType": "linux", "Driver": "overlay2", "SecurityOptions": ["name=seccomp,profile=builtin"]}
Answering = Callable[[dict[str, Any], dict[str, Any]], str]


@pytest.fixture(autouse=True)
def no_private_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a clone without a private engine, and a non-root user without Docker settings."""
    monkeypatch.setattr(private_engine, "PID_FILE", tmp_path / "engine.pid")
    monkeypatch.setattr(locking, "LAB_LOCK", locking.Lock(tmp_path / "lock", "testing"))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    command = tmp_path / "bin/docker"
    command.parent.mkdir()
    command.touch(0o755)
    monkeypatch.setenv("PATH", str(command.parent))


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Start an engine at DOCKER_HOST that answers only version and info; return its address."""
    servers = []

    def start(version: dict[str, Any], info: dict[str, Any]) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                known = {"version": version, "info": info}
                self.wfile.write(json.dumps(known.get(self.path.rpartition("/")[2], "OK")).encode())

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        address = f"tcp://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("DOCKER_HOST", address)
        return address

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refusal() -> str:
    with pytest.raises(LabError) as refused:
        engine.find_or_start(Setting.OFFLINE)
    return str(refused.value)


def context(folder: Path, address: str) -> None:
    """Make `other` the current docker context, with an engine at this address."""
    meta = folder / "contexts/meta" / "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa/meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "other", "Metadata": {}, "Endpoints": {"docker": {"Host": address}}}))
    (folder / "config.json").write_text('{"currentContext": "other"}')


def test_a_capable_engine_is_used_and_announced(answering: Answering, capsys: pytest.CaptureFixture[str]) -> None:
    address = answering(VERSION, INFO)
    assert engine.find_or_start(Setting.OFFLINE).address == address
    assert f"Using the Docker engine 28.5.2 at {address}\n" in capsys.readouterr().out


def test_an_engine_that_copies_every_layer_is_announced_as_slow(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(VERSION, INFO | {"Driver": "vfs"})
    engine.find_or_start(Setting.OFFLINE)
    assert "slow because it copies every image layer (vfs)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "info", "problem"),
    [
        ({"Version": "19.03.15", "ApiVersion": "1.40"}, {}, "is 19.03.15, and the lab needs 20.10 or newer"),
        ({}, {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}, "runs rootless"),
        ({}, {"SecurityOptions": ["name=userns"]}, "remaps users (userns-remap)"),
        ({}, {"OSType": "windows"}, "runs windows containers"),
    ],
    ids=["old", "rootless", "userns-remap", "windows"],
)
def test_an_engine_that_cannot_run_the_lab_is_rejected(
    version: dict[str, Any], info: dict[str, Any], problem: str, answering: Answering
) -> None:
    address = answering(VERSION | version, INFO | info)
    message = refusal()
    assert message.startswith(f"The Docker engine at {address} {problem}")
    assert "set DOCKER_HOST to another engine on this machine" in message


def test_an_engine_without_the_docker_command_is_rejected(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = answering(VERSION, INFO)
    monkeypatch.setenv("PATH", "")
    assert refusal().startswith(f"The Docker engine at {address} answers, but the docker command")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ssh://root@build.example.com", "ssh://build.example.com"),
        ("tcp://admin:hunter2@10.0.0.5:2375", "tcp://10.0.0.5:2375"),
        ("tcp://[", "tcp://["),
        ("10.0.0.5:2375", "10.0.0.5:2375"),
    ],
)
def test_an_engine_on_another_machine_is_rejected(address: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert refusal().startswith(f"DOCKER_HOST names the engine {shown}, but")


def test_a_context_on_another_machine_is_rejected_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context(tmp_path, "ssh://build.example.com")
    assert refusal().startswith("The current docker context names the engine ssh://build.example.com")
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    assert refusal().startswith("The docker context other names the engine ssh://build.example.com")


def test_a_dead_engine_at_docker_host_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    assert (
        refusal() == "No Docker engine answers at DOCKER_HOST=unix:///nonexistent.sock: start it, or unset DOCKER_HOST."
    )


def test_a_dead_engine_of_a_context_is_not_replaced_without_root(tmp_path: Path) -> None:
    context(tmp_path, "unix:///nonexistent.sock")
    assert refusal().startswith(
        "No Docker engine answers at unix:///nonexistent.sock, and only root on Linux can start"
    )


@pytest.mark.parametrize("config", ["[]", '{"auths": 7}', '{"proxies": 7}'])
def test_a_malformed_docker_configuration_is_named(config: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    message = refusal()
    assert message.startswith(f"Docker's configuration {tmp_path}/config.json is malformed")


def test_a_missing_context_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "gone"}')
    assert refusal().startswith("The current docker context names no engine: choose another")


def test_a_broken_context_is_named(tmp_path: Path) -> None:
    context(tmp_path, "unix:///nonexistent.sock")
    next(tmp_path.rglob("meta.json")).write_text("{")
    message = refusal()
    assert message.startswith("The current docker context cannot be read")
    assert message.endswith("fix it, or set DOCKER_HOST.")
