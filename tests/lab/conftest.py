# SPDX-License-Identifier: Apache-2.0
"""Hosts of the lab for tests that break things: real dnf, rpm, systemd and dockerd. And its engine, for images."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from slipway.images import content_key
from slipway.lab.engine import Engine
from slipway.lab.images import Images
from slipway.lab.ready import make_ready
from slipway.lab.status import CARRIED_IMAGE
from slipway.lab.workbench import LabHost, Workbench
from tests.recorded_aws import KEYS, RecordedAws


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    """Where a module makes its hosts, stand-ins all of them; they are gone when the module ends.

    Each takes 7 of the kernel's 128 inotify instances (fs.inotify.max_user_instances): 19 at once do not boot.
    """
    workbench = Workbench("offline")
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def lasting_workbench() -> Iterator[Workbench]:
    """Where the hosts are made that all modules share."""
    workbench = Workbench("offline")
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def fresh_host(lasting_workbench: Workbench) -> LabHost:
    """A host on which nothing may be changed: its tests prove refusals and dry runs."""
    return lasting_workbench.make("test-fresh")


@pytest.fixture(scope="session")
def converged_host(lasting_workbench: Workbench) -> LabHost:
    """A host with a running engine, which every test leaves as it found it."""
    host = lasting_workbench.make("test-converged")
    converged = host.converge()
    assert converged.status == 0, converged.output
    return host


@pytest.fixture(scope="session")
def lab() -> tuple[Engine, Images]:
    """The lab's engine, which has slipway/hello too, and what its hosts are made of."""
    carrier, images = make_ready("offline")
    holder = carrier.client.containers.create(images.host)
    try:
        chunks, _ = holder.get_archive(CARRIED_IMAGE)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            file = tar.extractfile(Path(CARRIED_IMAGE).name)
            assert file
            carrier.client.images.load(file.read())
    finally:
        holder.remove()
    return carrier, images


@pytest.fixture
def carrier(lab: tuple[Engine, Images]) -> Iterator[Engine]:
    """The engine with a client that nobody has logged in; images that the test builds are gone when it ends."""
    address = lab[0].address
    client = docker.DockerClient(base_url=address, timeout=120)
    before = {image.id for image in client.images.list()}
    yield Engine(client, address)
    made = [image for image in client.images.list(filters={"label": content_key.LABEL}) if image.id not in before]
    for image in sorted(made, key=lambda image: len(image.history()), reverse=True):  # a base last
        with suppress(ImageNotFound):  # it had no name and went with what stood on it
            client.images.remove(str(image.id), force=True)
    client.close()


@pytest.fixture(scope="session")
def aws_server() -> Iterator[RecordedAws]:
    server = RecordedAws()
    yield server
    server.close()


@pytest.fixture
def aws(aws_server: RecordedAws, monkeypatch: pytest.MonkeyPatch) -> RecordedAws:
    """An account of AWS with nothing in it, to which playbooks are led."""
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server.address)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    aws_server.reset()
    return aws_server
