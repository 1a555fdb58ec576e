# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the engine answers."""

import subprocess

from slipway_firstboot import waiting
from slipway_firstboot.errors import StepError

SOCKET = "unix:///var/run/docker.sock"
COMMAND = ["docker", "--host", SOCKET, "version", "--format", "{{ .Server.Version }}"]
ANSWER_SECONDS = 10


def wait(seconds):
    return "version " + waiting.until(version, seconds)


def version():
    """The engine's version, by the docker command, which asks the engine for it."""
    try:
        asked = subprocess.run(
            COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=ANSWER_SECONDS, universal_newlines=True
        )
    except FileNotFoundError as error:
        raise StepError("there is no docker command: run role docker_engine before docker_firstboot") from error
    except subprocess.TimeoutExpired as error:
        raise not_yet("silence") from error
    if asked.returncode:
        raise not_yet(" ".join(asked.stderr.split()))
    return asked.stdout.strip()


def not_yet(reason):
    return waiting.NotYetError(f"the engine does not answer ({reason}): see journalctl --unit docker.service")
