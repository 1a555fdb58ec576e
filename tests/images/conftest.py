# SPDX-License-Identifier: Apache-2.0
"""Claims about built images; `slipway-images test` runs them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import testinfra
from docker.models.containers import Container
from docker.models.images import Image as EngineImage
from testinfra.host import Host

from slipway.images import verify
from slipway.images.image import Image
from slipway.images.verify import Subject
from slipway.lab.hosts import SYSTEMD

if verify.VARIABLE not in os.environ:
    raise pytest.UsageError("These claims are about built images: run `slipway-images test`.")
SUBJECTS = verify.read(Path(os.environ[verify.VARIABLE]))


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine that has the images."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session", params=SUBJECTS, ids=lambda subject: subject.image.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each image in turn, with the facts of its build."""
    assert isinstance(request.param, Subject)
    return request.param


@pytest.fixture(scope="session")
def image(subject: Subject) -> Image:
    """The image's definition in the matrix."""
    return subject.image


@pytest.fixture(scope="session")
def built(client: docker.DockerClient, subject: Subject) -> EngineImage:
    """The image as the engine has it."""
    return client.images.get(subject.built.id)


@pytest.fixture(scope="session")
def container(client: docker.DockerClient, built: EngineImage) -> Iterator[Container]:
    """An idle container of the image, without a network."""
    container = client.containers.run(
        str(built.id), ["3600"], entrypoint=["sleep"], network_mode="none", healthcheck={"test": ["NONE"]}, detach=True
    )
    yield container
    container.remove(force=True)


@pytest.fixture(scope="session")
def host(container: Container) -> Host:
    """The container, as the user of the image."""
    return testinfra.get_host(f"docker://{container.id}")


@pytest.fixture(scope="session")
def root(container: Container) -> Host:
    """The container, as root."""
    return testinfra.get_host(f"docker://0@{container.id}")


@pytest.fixture
def start(client: docker.DockerClient, image: Image, built: EngineImage) -> Iterator[Callable[[], Container]]:
    """Start the image unmodified, but with a health check every second, to save time."""
    started: list[Container] = []
    boots: dict[str, Any] = SYSTEMD if image.family == "systemd" else {}

    def start() -> Container:
        asked: dict[str, Any] = {"healthcheck": {"interval": 10**9}} if image.healthcheck.command else {}
        started.append(client.containers.create(str(built.id), network_mode="none", **asked, **boots))
        started[-1].start()
        return started[-1]

    yield start
    for container in started:
        container.remove(force=True, v=True)
