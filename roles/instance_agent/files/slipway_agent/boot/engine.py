# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the engine responds."""

import subprocess

from slipway_agent.boot import waiting
from slipway_agent.boot.errors import StepError

SOCKET = "unix:///var/run/docker.sock"
COMMAND = ["docker", "--host", SOCKET, "version", "--format", "{{ .Server.Version }}"]
ANSWER_SECONDS = 10


def wait(seconds):
    return "version " + waiting.until(version, seconds)


def version():
    """Return the engine's version as the docker command reports it."""
    try:
        done = subprocess.run(
            COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=ANSWER_SECONDS, universal_newlines=True
        )
    except FileNotFoundError as error:
        raise StepError(
            "the docker command is not installed: run the role docker_engine before docker_firstboot"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise not_yet(f"no response within {ANSWER_SECONDS} s") from error
    if done.returncode:
        raise not_yet(" ".join(done.stderr.split()))
    return done.stdout.strip()


def not_yet(reason):
    return waiting.NotYetError(f"the engine does not respond ({reason}): see journalctl --unit docker.service")
