# SPDX-License-Identifier: Apache-2.0
"""Builds images in the order in which they stand on each other, in parallel where they do not, and only what changed.

It uses the engine's own builder over its API, which every engine has, without buildx. An image gets its tags when it
has been built: one that fails leaves the old image where it was.
"""

import io
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from textwrap import shorten
from typing import Any

import docker
import requests
from docker.errors import APIError
from docker.utils import parse_repository_tag
from rich.text import Text

from slipway.images import availability, bases, content_key, context, graph, provenance
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.provenance import OCI
from slipway.images.recipe import Built, Recipe, recipe
from slipway.images.workshop import Workshop

STEP = re.compile(r"Step (\d+/\d+) : (.*)", re.DOTALL)
# What the engine's builder says itself, between the lines of the programs that it runs.
ABOUT_CONTAINERS = (" ---> ", "Removing intermediate container ")
LAST_LINES = 20


class State(StrEnum):
    """What became of an image."""

    BUILT = "built"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one image; reason tells why there is no built one."""

    image: Image
    state: State
    built: Built | None = None
    seconds: float = 0
    reason: str = ""


def build(workshop: Workshop, names: Sequence[str] = (), *, force: bool = False) -> list[Outcome]:
    """Build the images of these names and what they stand on, the whole matrix where there is none.

    force pulls registries' bases and builds what is unchanged too, without the engine's cache. A failure is an outcome:
    images that do not stand on it are built all the same. Raises ImageError, before anything is built, for a name that
    is unknown or cannot be built from the supply; of a whole matrix such images are skipped.
    """
    wanted = graph.with_bases(workshop.images, graph.named(workshop.images, names))
    if names:
        availability.refuse(wanted, workshop.supply)
    reasons = availability.unavailable(wanted, workshop.supply)
    labels = provenance.labels()
    outcomes = _in_order(
        {name: image for name, image in wanted.items() if name not in reasons},
        lambda image: _outcome(workshop, image, labels, force=force),
    )
    return [
        outcomes.get(name) or Outcome(image, State.SKIPPED, reason=reasons.get(name) or f"stands on {image.base}")
        for name, image in wanted.items()
    ]


def refuse_failures(outcomes: Iterable[Outcome]) -> None:
    """Raise ImageError with all that failed."""
    failures = [outcome.reason for outcome in outcomes if outcome.state is State.FAILED]
    if failures:
        raise ImageError("\n\n".join(failures))


def _in_order(images: Mapping[str, Image], make: Callable[[Image], Outcome]) -> dict[str, Outcome]:
    """Make each image when its base is made; what stands on a failure has no outcome."""
    outcomes: dict[str, Outcome] = {}
    sorter = graph.sorter(images)
    sorter.prepare()
    running: dict[Future[Outcome], str] = {}
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        while True:
            running |= {pool.submit(make, images[name]): name for name in sorter.get_ready()}
            if not running:
                return outcomes
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                outcomes[name] = future.result()
                if outcomes[name].state is not State.FAILED:
                    sorter.done(name)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who interrupts does not want to wait for the builds


def _outcome(workshop: Workshop, image: Image, labels: Mapping[str, str], *, force: bool) -> Outcome:
    start = time.monotonic()
    try:
        with closing(workshop.connect()) as client:
            base = bases.have(client, image, workshop.supply, renew=force, report=workshop.report)
            made_from = recipe(workshop, image, base)
            built = None if force else made_from.find(client)
            state = State.UNCHANGED if built else State.BUILT
            if not built:
                built_id = _build(client, made_from, labels, workshop.report, nocache=force)
                built = made_from.describe(client.images.get(built_id))
            for tag in image.local_tags:
                client.api.tag(built.id, *parse_repository_tag(tag))
    except ImageError as error:
        return Outcome(image, State.FAILED, seconds=time.monotonic() - start, reason=str(error))
    return Outcome(image, state, built, time.monotonic() - start)


def _build(
    client: docker.DockerClient,
    made_from: Recipe,
    labels: Mapping[str, str],
    report: Callable[[str], None],
    *,
    nocache: bool,
) -> str:
    """Build an image without a tag and return its id. Raises ImageError with the step that failed."""
    log = _Log(made_from.image.name, report)
    try:
        stream = client.api.build(
            fileobj=io.BytesIO(made_from.archive),
            custom_context=True,
            dockerfile=context.DOCKERFILE,
            decode=True,
            rm=True,
            forcerm=True,
            nocache=nocache,
            network_mode=made_from.network,
            buildargs=made_from.arguments,
            labels={**labels, **_labels(made_from)},
        )
        for line in stream:
            log.read(line)
    except (APIError, requests.RequestException) as error:
        raise log.failure(f"failed: {error}") from error
    return log.image_id


def _labels(made_from: Recipe) -> dict[str, str]:
    """Return the labels that only the build knows; the others are in the Dockerfile."""
    labels = {
        f"{OCI}.version": made_from.image.version,
        f"{OCI}.base.name": made_from.base.reference,
        content_key.LABEL: made_from.key,
    }
    return {**labels, f"{OCI}.base.digest": made_from.base.digest} if made_from.base.digest else labels


class _Log:
    """Reads what the engine streams of one build: reports each step, and keeps what an error is to quote."""

    def __init__(self, name: str, report: Callable[[str], None]) -> None:
        self.image_id = ""
        self._name = name
        self._report = report
        self._step = "the Dockerfile"
        self._output = ""

    def read(self, message: Mapping[str, Any]) -> None:
        """Take one message. Raises ImageError when it is that of a failure."""
        if "error" in message:
            status = message.get("errorDetail", {}).get("code")
            raise self.failure(f"ended with status {status}" if status else f"failed: {message['error']}")
        self.image_id = message.get("aux", {}).get("ID", self.image_id)
        text = str(message.get("stream", ""))
        step = STEP.match(text)
        if step:
            self._step = f"{step[1]} {shorten(step[2], 90, placeholder=' ...')}"
            self._output = ""
            if not step[2].startswith("LABEL "):  # the build adds several, and they take no time
                self._report(f"{self._name}: {self._step}")
        elif not text.startswith(ABOUT_CONTAINERS):
            self._output += text

    def failure(self, how: str) -> ImageError:
        """Return the error: the image, the step, how it failed, and the last of what it printed."""
        lines = Text.from_ansi(self._output).plain.strip().splitlines()[-LAST_LINES:]
        return ImageError("\n".join([f"{self._name} cannot be built: {self._step} {how}", *lines]))
