# SPDX-License-Identifier: Apache-2.0
"""Where images are made: the matrix, the engine, what that is supplied with, and whom to tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import docker

from slipway.images.image import Image
from slipway.images.supply import Supply
from slipway.lab.engine import Engine


@dataclass(frozen=True)
class Workshop:
    """images is the whole matrix, dockerfile renders one of it, report is told a line when a step begins."""

    images: Mapping[str, Image]
    engine: Engine
    supply: Supply
    dockerfile: Callable[[Image], str]
    report: Callable[[str], None]

    def connect(self) -> docker.DockerClient:
        """Return a client of a thread's own, to be closed: a client is not to be shared by threads."""
        return docker.DockerClient(base_url=self.engine.address, timeout=120)
