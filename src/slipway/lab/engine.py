# SPDX-License-Identifier: Apache-2.0
"""The Docker engine that carries the lab: the one this machine reaches, else a private one below .lab."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass

import docker
from docker.errors import DockerException

from slipway.lab import private_engine
from slipway.lab.errors import LabError
from slipway.lab.progress import say
from slipway.lab.setting import Setting


@dataclass(frozen=True)
class Engine:
    """An engine that answers, and the address under which it does (as in DOCKER_HOST)."""

    client: docker.DockerClient
    address: str


def find() -> Engine | None:
    """Return the engine to use, or None: the lab's own if it runs, else DOCKER_HOST, else the current context."""
    if private_engine.is_running():
        return _answering(private_engine.ADDRESS)
    return _answering(os.environ.get("DOCKER_HOST") or str(docker.ContextAPI.get_current_context().Host))


def find_or_start(setting: Setting) -> Engine:
    """Return the engine to use, starting a private one where this machine has none.

    Raises LabError where there is no engine and none can be started.
    """
    engine = find()
    if engine:
        say(f"Using the Docker engine {engine.client.version()['Version']} at {engine.address}")
        return engine
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        raise LabError(
            "No Docker engine answers, and only root on Linux can start one. "
            "Start Docker (or set DOCKER_HOST to one that runs), or run this as root on Debian."
        )
    say("No Docker engine answers: starting a private one below .lab (Debian's docker.io; nothing is installed)")
    private_engine.start(setting)
    engine = _answering(private_engine.ADDRESS)
    if not engine:
        raise LabError(f"The private engine does not answer at {private_engine.ADDRESS}: see {private_engine.LOG}.")
    return engine


def _answering(address: str) -> Engine | None:
    with suppress(DockerException):
        client = docker.DockerClient(base_url=address, timeout=120)
        client.ping()
        return Engine(client, address)
    return None
