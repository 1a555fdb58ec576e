# SPDX-License-Identifier: Apache-2.0
"""The Docker engine that runs the lab: the one that this machine uses, else a private one below .lab."""

import os
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException
from docker.utils.config import find_config_file

from slipway.lab import locking, private_engine
from slipway.lab.errors import LabError
from slipway.lab.progress import say
from slipway.lab.setting import Setting

# Docker 20.10 is the first with cgroupns=host, which nested engines need.
OLDEST_API = (1, 41)
OLDEST_VERSION = "20.10"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# Modes in which root in a container is not root on the machine: no nested engine, and no devices.
UNPRIVILEGED_MODES = {"name=rootless": "runs rootless", "name=userns": "remaps users (userns-remap)"}


@dataclass(frozen=True)
class Engine:
    """A connected engine and its address, in the form of DOCKER_HOST."""

    client: docker.DockerClient
    address: str


def find() -> Engine | None:
    """Return the engine to use, or None: the private one if it runs, else DOCKER_HOST, else the current context."""
    with suppress(LabError, DockerException):
        return _connect(private_engine.ADDRESS if private_engine.is_running() else _local_address())
    return None


@locking.exclusive()
def find_or_start(setting: Setting) -> Engine:
    """Return the engine to use, starting a private one if this machine has none.

    Raises LabError if the engine cannot run the lab, or if there is none and none can be started.
    """
    if private_engine.is_running():
        return _announce(_private())
    address = _local_address()
    try:
        engine = _connect(address)
    except DockerException as error:
        _require_permission_to_start(address, error)
    else:
        _require_capable(engine)
        return _announce(engine)
    say("No Docker engine answers: starting a private one below .lab (Debian's docker.io; nothing is installed)")
    private_engine.start(setting)
    return _private()


def _connect(address: str) -> Engine:
    """Return the engine at an address. Raises DockerException if it does not answer, LabError for a bad config."""
    try:
        client = docker.DockerClient(base_url=address, timeout=120)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # the SDK does not validate the file
        file = str(find_config_file())
        raise LabError(f"Docker's configuration {file} is malformed ({error}): fix it.") from error
    client.ping()
    return Engine(client, address)


def _private() -> Engine:
    """Wait for the private engine and return it. Raises LabError if it does not answer."""
    private_engine.wait()
    try:
        return _connect(private_engine.ADDRESS)
    except DockerException as error:
        raise LabError(
            f"The private engine does not answer at {private_engine.ADDRESS} (its log is {private_engine.LOG}): "
            "run `make down`, then try again."
        ) from error


def _announce(engine: Engine) -> Engine:
    slow = (
        ", which is slow because it copies every image layer (vfs)"
        if engine.client.info().get("Driver") == "vfs"
        else ""
    )
    say(f"Using the Docker engine {engine.client.version()['Version']} at {engine.address}{slow}")
    return engine


def _local_address() -> str:
    """Return the address in DOCKER_HOST or the current context. Raises LabError if it is on another machine."""
    address, named_by = os.environ.get("DOCKER_HOST", ""), "DOCKER_HOST"
    if not address:
        address, named_by = _address_of_context()
    if not _is_local(address):
        shown = re.sub("//[^/]*@", "//", address)
        raise LabError(
            f"{named_by} names the engine {shown}, but the lab publishes ports on the loopback of the engine's "
            "machine: set DOCKER_HOST to an engine on this machine, such as unix:///var/run/docker.sock."
        )
    return address


def _address_of_context() -> tuple[str, str]:
    """Return the address in the current docker context, and the context's name for messages."""
    name = os.environ.get("DOCKER_CONTEXT")
    named_by = f"The docker context {name}" if name else "The current docker context"
    try:
        context = docker.ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises Exception itself
        raise LabError(f"{named_by} cannot be read ({error}): fix it, or set DOCKER_HOST.") from error
    if context is None or not context.Host:
        raise LabError(f"{named_by} names no engine: choose another with `docker context use`, or set DOCKER_HOST.")
    return str(context.Host), named_by


def _is_local(address: str) -> bool:
    if address.startswith(("unix://", "http+unix://", "npipe://")):
        return True
    with suppress(ValueError):
        return urlsplit(address).hostname in LOCAL_HOSTS
    return False


def _require_permission_to_start(address: str, error: DockerException) -> None:
    """Raise LabError unless this process should and may start a private engine, since address did not answer."""
    socket = Path(address.removeprefix("http+").removeprefix("unix://"))
    if socket.is_socket() and not os.access(socket, os.R_OK | os.W_OK):
        raise LabError(
            f"This user may not access the Docker engine at {address}: add the user to the group of the socket and log "
            "in again, or run this as root."
        ) from error
    if os.environ.get("DOCKER_HOST"):
        raise LabError(f"No Docker engine answers at DOCKER_HOST={address}: start it, or unset DOCKER_HOST.") from error
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        raise LabError(
            f"No Docker engine answers at {address}, and only root on Linux can start a private one. "
            "Start Docker, set DOCKER_HOST to a running engine, or run this as root on Debian."
        ) from error


def _require_capable(engine: Engine) -> None:
    """Raise LabError if lab hosts cannot run on an engine that the lab has not started."""
    version, info = engine.client.version(), engine.client.info()
    other = "set DOCKER_HOST to another engine on this machine."
    if tuple(int(part) for part in version["ApiVersion"].split(".")) < OLDEST_API:
        raise LabError(
            f"The Docker engine at {engine.address} is {version['Version']}, and the lab needs {OLDEST_VERSION} or "
            f"newer: upgrade it, or {other}"
        )
    if info["OSType"] != "linux":
        raise LabError(f"The Docker engine at {engine.address} runs {info['OSType']} containers: {other}")
    for option, mode in UNPRIVILEGED_MODES.items():
        if any(known.startswith(option) for known in info.get("SecurityOptions") or ()):
            raise LabError(
                f"The Docker engine at {engine.address} {mode}, and lab hosts need the privileges of the machine's "
                f"root: {other}"
            )
    if not shutil.which("docker"):
        raise LabError(
            f"The Docker engine at {engine.address} answers, but the docker command, which Ansible uses to reach lab "
            "hosts, is missing: install it (Debian 12: docker.io, Debian 13: docker-cli)."
        )
