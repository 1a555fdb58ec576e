# SPDX-License-Identifier: Apache-2.0
"""What builds need in addition to an image: the matrix, the engine, the supply, and a progress callback."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import docker

from slipway.images.image import Image
from slipway.images.supply import Supply
from slipway.lab.engine import Engine


@dataclass(frozen=True)
class BuildEnvironment:
    """images is the whole matrix, dockerfile renders an image, report is called with a line when a step begins."""

    images: Mapping[str, Image]
    engine: Engine
    supply: Supply
    dockerfile: Callable[[Image], str]
    report: Callable[[str], None]

    def connect(self) -> docker.DockerClient:
        """Return a new client, to be closed by the caller: threads must not share one."""
        return docker.DockerClient(base_url=self.engine.address, timeout=120)
