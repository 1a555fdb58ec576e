# SPDX-License-Identifier: Apache-2.0
"""Hosts of the lab for tests that break things: real dnf, rpm, systemd and dockerd. And its engine, for images."""

import io
import os
import tarfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from rich.console import Console

from slipway.images import content_key
from slipway.lab import locking, progress
from slipway.lab.engine import Engine
from slipway.lab.lab import Lab
from slipway.lab.ready import make_ready
from slipway.lab.status import CARRIED_IMAGE
from slipway.lab.workbench import LabHost, Workbench
from tests.support.recorded_aws import KEYS, RecordedAws


def pytest_sessionstart(session: pytest.Session) -> None:
    """Wait for another run of these tests in this clone: its hosts have the same names."""
    if hasattr(session.config, "workerinput"):
        return  # it is part of a run, whose first process holds the lock
    held = ExitStack()
    session.config.add_cleanup(held.close)
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():  # have it say so
        held.enter_context(locking.exclusive(locking.TESTS_LOCK))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Show progress messages of the test and its fixtures, which may build images for minutes, despite the capture."""
    if hasattr(item.config, "workerinput"):
        return (yield)  # its report has them
    # Nothing is captured yet: 1 is the terminal.
    with os.fdopen(os.dup(1), "w") as terminal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "console", Console(file=terminal, highlight=False, soft_wrap=True))
        return (yield)


@pytest.fixture(scope="session")
def lab(worker_id: str) -> Lab:
    """The lab of this process: where several run tests at once, each has networks, servers and hosts of its own.

    LAB_PREFIX tells the tests of several clones that share an engine apart.
    """
    return make_ready("offline", os.environ.get("LAB_PREFIX", "") + ("" if worker_id == "master" else f"{worker_id}-"))


@pytest.fixture(scope="module")
def workbench(lab: Lab) -> Iterator[Workbench]:
    """Where a module makes its hosts, stand-ins all of them; they are gone when the module ends.

    Where slipway.lab.inotify cannot raise the kernel's limit of 128 inotify instances, 17 hosts boot at once.
    """
    workbench = Workbench(lab)
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def lasting_workbench(lab: Lab) -> Iterator[Workbench]:
    """Where the hosts are made that all modules share."""
    workbench = Workbench(lab)
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def fresh_host(lasting_workbench: Workbench) -> LabHost:
    """A host on which nothing may be changed: its tests prove refusals and dry runs."""
    return lasting_workbench.make("test-fresh")


@pytest.fixture(scope="session")
def converged_host(lasting_workbench: Workbench) -> LabHost:
    """A host with a running engine, which every test leaves as it found it."""
    return lasting_workbench.make_converged("test-converged")


@pytest.fixture(scope="session")
def engine_with_hello(lab: Lab) -> Engine:
    """The lab's engine, which has slipway/hello too."""
    holder = lab.client.containers.create(lab.images.host)
    try:
        chunks, _ = holder.get_archive(CARRIED_IMAGE)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            file = tar.extractfile(Path(CARRIED_IMAGE).name)
            assert file
            lab.client.images.load(file.read())
    finally:
        holder.remove()
    return lab.engine


@pytest.fixture
def carrier(engine_with_hello: Engine) -> Iterator[Engine]:
    """The engine with a client that nobody has logged in; images that the test builds are gone when it ends."""
    address = engine_with_hello.address
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


@pytest.fixture(scope="module")
def played(aws_server: RecordedAws) -> set[tuple[str, str]]:
    """Service and action of all calls that the playbooks of a file of tests have made so far."""
    aws_server.played.clear()
    return aws_server.played


@pytest.fixture
def aws(aws_server: RecordedAws, played: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> RecordedAws:
    """An account of AWS with nothing in it, to which playbooks are led."""
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server.address)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    aws_server.reset()
    return aws_server
