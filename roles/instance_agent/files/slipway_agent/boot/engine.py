# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the engine responds."""

from slipway_agent.boot import waiting
from slipway_agent.boot.errors import StepError
from slipway_agent.engine import docker


def wait(seconds):
    return "version " + waiting.until(version, seconds)


def version():
    """Return the engine's version as the docker command reports it."""
    try:
        return docker.version()
    except docker.MissingError as error:
        raise StepError(f"{error}: run the role docker_engine before docker_firstboot") from error
    except docker.EngineError as error:
        raise waiting.NotYetError(
            f"the engine does not respond ({error}): see journalctl --unit docker.service"
        ) from error
