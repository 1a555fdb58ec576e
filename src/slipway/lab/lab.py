# SPDX-License-Identifier: Apache-2.0
"""One lab: its engine, its images, and the names of its containers and networks."""

from dataclasses import dataclass

import docker

from slipway.lab.engine import Engine
from slipway.lab.images import Images


@dataclass(frozen=True)
class Lab:
    """A lab with its own networks, servers and hosts.

    Several labs can share an engine and its images: a prefix keeps the names of their containers and networks apart.
    The lab of `make up` has no prefix.
    """

    engine: Engine
    images: Images
    prefix: str = ""

    @property
    def client(self) -> docker.DockerClient:
        return self.engine.client

    def name(self, what: str) -> str:
        """Return the name of a container or network of this lab on the engine."""
        return self.prefix + what
