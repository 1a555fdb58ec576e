# SPDX-License-Identifier: Apache-2.0
"""Builds images in dependency order, independent ones in parallel, and only those that changed.

An image is tagged after it was built: a failure leaves the old image in place.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from docker.utils import parse_repository_tag

from slipway.images import availability, bases, builder, content_key, graph, provenance
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.provenance import OCI
from slipway.images.recipe import Built, Recipe, recipe


class State(StrEnum):
    """How the build of an image ended."""

    BUILT = "built"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """The result of one image; reason says why it was not built."""

    image: Image
    state: State
    built: Built | None = None
    seconds: float = 0
    reason: str = ""


def build(environment: BuildEnvironment, names: Sequence[str] = (), *, force: bool = False) -> list[Outcome]:
    """Build the named images and their bases, or the whole matrix without names.

    force pulls bases and rebuilds unchanged images, without the engine's cache. A failure is an outcome: images that do
    not depend on it are still built. Raises ImageError, before anything is built, for a name that is unknown or cannot
    be built from the supply; without names, such images are skipped.
    """
    wanted = graph.with_bases(environment.images, graph.select(environment.images, names))
    if names:
        availability.require(wanted, environment.supply)
    reasons = availability.unavailable(wanted, environment.supply)
    labels = provenance.labels()
    outcomes = _in_order(
        {name: image for name, image in wanted.items() if name not in reasons},
        lambda image: _outcome(environment, image, labels, force=force),
    )
    return [
        outcomes.get(name) or Outcome(image, State.SKIPPED, reason=reasons.get(name) or f"needs {image.base}")
        for name, image in wanted.items()
    ]


def raise_failures(outcomes: Iterable[Outcome]) -> None:
    """Raise ImageError with all failures, if any."""
    failures = [outcome.reason for outcome in outcomes if outcome.state is State.FAILED]
    if failures:
        raise ImageError("\n\n".join(failures))


def _in_order(images: Mapping[str, Image], make: Callable[[Image], Outcome]) -> dict[str, Outcome]:
    """Make each image after its base; images that depend on a failed one have no outcome."""
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
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupt must not wait for builds


def _outcome(environment: BuildEnvironment, image: Image, labels: Mapping[str, str], *, force: bool) -> Outcome:
    start = time.monotonic()
    try:
        with closing(environment.connect()) as client:
            base = bases.ensure(client, image, environment.supply, refresh=force, report=environment.report)
            made_from = recipe(environment, image, base)
            built = None if force else made_from.find(client)
            state = State.UNCHANGED if built else State.BUILT
            if not built:
                built_id = builder.build(
                    client,
                    image.name,
                    made_from.archive,
                    arguments=made_from.arguments,
                    labels={**labels, **_labels(made_from)},
                    report=environment.report,
                    network=made_from.network,
                    nocache=force,
                )
                built = made_from.describe(client.images.get(built_id))
            for tag in image.local_tags:
                client.api.tag(built.id, *parse_repository_tag(tag))
    except ImageError as error:
        return Outcome(image, State.FAILED, seconds=time.monotonic() - start, reason=str(error))
    return Outcome(image, state, built, time.monotonic() - start)


def _labels(made_from: Recipe) -> dict[str, str]:
    """Return the labels that are not in the Dockerfile, since only the build knows them."""
    labels = {
        f"{OCI}.version": made_from.image.version,
        f"{OCI}.base.name": made_from.base.reference,
        content_key.LABEL: made_from.key,
    }
    return {**labels, f"{OCI}.base.digest": made_from.base.digest} if made_from.base.digest else labels
