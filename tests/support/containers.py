# SPDX-License-Identifier: Apache-2.0
"""Containers that run one command to its end."""

from typing import Any

import docker
from docker.errors import ContainerError


def output_of(client: docker.DockerClient, image: str, command: list[str] | str, **options: Any) -> str:
    """Run a command in a new container and return what it printed; the options are those of containers.create.

    containers.run follows the log while the container runs, and now and then gets nothing of one that ends at once.
    Raises ContainerError if the command fails.
    """
    container = client.containers.create(image, command, **options)
    try:
        container.start()
        status = container.wait()["StatusCode"]
        if status:
            raise ContainerError(container, status, command, image, container.logs(stdout=False).decode())
        printed: bytes = container.logs(stderr=False)
        return printed.decode().strip()
    finally:
        container.remove(force=True)
