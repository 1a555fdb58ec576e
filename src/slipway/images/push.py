# SPDX-License-Identifier: Apache-2.0
"""Publishes built images: first all checks, then immutable tags, then moving tags.

An unreachable registry, a denied login or an immutable tag with different content leaves the registry unchanged. Moving
tags, such as latest, are pushed after everything else was published and verified by pulling it back.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import docker
from docker.utils import parse_repository_tag

from slipway.images import availability, graph, pins, registry
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.recipe import Built, current
from slipway.images.supply import Supply


@dataclass(frozen=True)
class Target:
    """A built image and the reference to publish it under."""

    image_id: str
    reference: str

    @property
    def repository(self) -> str:
        """The name without its tag."""
        return parse_repository_tag(self.reference)[0]


def push(
    environment: BuildEnvironment,
    prefix: str,
    names: Sequence[str] = (),
    *,
    overwrite: bool = False,
    allow_unpinned: bool = False,
) -> dict[str, str]:
    """Publish the named images, or all with `publish` without names; return the digests by reference.

    prefix is HOST[:PORT][/PATH]. overwrite allows immutable tags to change. Raises ImageError before anything is pushed
    for images with `publish: false`, outdated images, bases without a digest (unless allow_unpinned), an unreachable
    registry, a denied login, and immutable tags with different content.
    """
    client = environment.engine.client
    chosen = _to_publish(environment, names)
    host = registry.host_of(f"{prefix}/any")
    _reject_stand_ins(environment.supply, host)
    if not allow_unpinned:
        pins.require_digests(environment.images, chosen, environment.supply)
    built = current(environment, chosen)
    permanent = [
        target for image in chosen.values() for target in _targets(image, image.tags, built[image.name], prefix)
    ]
    moving = [
        target for image in chosen.values() for target in _targets(image, image.moving_tags, built[image.name], prefix)
    ]
    account = registry.log_in(client, host, environment.supply.registry)
    new = _unpublished(client, permanent, account, overwrite=overwrite)
    digests = {}
    for target in (*new, *moving):
        environment.report(f"pushing {target.reference}")
        digests[target.reference] = _publish(client, target, account)
    return digests


def _targets(image: Image, tags: Iterable[str], built: Built, prefix: str) -> list[Target]:
    return [Target(built.id, f"{prefix}/{image.repository}:{tag}") for tag in tags]


def _reject_stand_ins(supply: Supply, host: str) -> None:
    """Keep images built on a stand-in out of other registries: they would be mistaken for real ones."""
    own = supply.registry.address if supply.registry else "none"
    if supply.bases and own != host:
        raise ImageError(
            f"Images built from {supply.description} can only be pushed to the lab's registry ({own}), not to {host}: "
            "build and push with LAB=online."
        )


def _to_publish(environment: BuildEnvironment, names: Sequence[str]) -> dict[str, Image]:
    """Return the images to publish; without names, all with `publish` that can be built from the supply."""
    chosen = graph.select(environment.images, names)
    private = [name for name, image in chosen.items() if not image.publish]
    if names and private:
        raise ImageError(
            f"`publish` is false for {', '.join(private)}: leave them out, or set `publish: true` in the matrix."
        )
    unavailable = availability.unavailable(graph.with_bases(environment.images, chosen), environment.supply)
    for name in unavailable if not names else ():
        environment.report(f"{name}: skipped, {unavailable[name]}")
    left_out = {*private, *(() if names else unavailable)}
    return {name: image for name, image in chosen.items() if name not in left_out}


def _unpublished(
    client: docker.DockerClient, targets: Sequence[Target], account: str | None, *, overwrite: bool
) -> list[Target]:
    """Return the targets missing in the registry. Raises ImageError for those with different content there."""
    published = {target: _published_id(client, target, account) for target in targets}
    taken = [target.reference for target, image_id in published.items() if image_id and image_id != target.image_id]
    if taken and not overwrite:
        raise ImageError(
            f"Already published with different content: {', '.join(taken)}. "
            "Set new tags in dockerfiles/images.yml, or push with --overwrite."
        )
    return [target for target, image_id in published.items() if image_id != target.image_id]


def _published_id(client: docker.DockerClient, target: Target, account: str | None) -> str | None:
    """Return the id of the image published under the reference, or None."""
    try:
        digest = registry.digest_of(client, target.reference, account)
    except registry.NotFound:
        return None
    except registry.Denied:
        if account:  # Docker Hub, for one, denies what does not exist; the push shows whether it is allowed
            return None
        raise
    return _pull_back(client, target, digest, account)


def _publish(client: docker.DockerClient, target: Target, account: str | None) -> str:
    """Push a target, pull it back, and return its digest. Raises ImageError if another image comes back."""
    with _tagged(client, target):
        digest = registry.push(client, target.reference, account)
        pulled = _pull_back(client, target, digest, account)
    if pulled != target.image_id:
        raise ImageError(
            f"{target.reference}@{digest} was pushed as {target.image_id}, but pulled back as {pulled}: "
            "do not use it, and ask the registry's administrator."
        )
    return digest


def _pull_back(client: docker.DockerClient, target: Target, digest: str, account: str | None) -> str:
    """Pull an image by digest and return its id; remove that reference, and the image if it has no other."""
    reference = f"{target.repository}@{digest}"
    image_id = registry.pull(client, reference, account)
    client.api.remove_image(reference)
    return image_id


@contextmanager
def _tagged(client: docker.DockerClient, target: Target) -> Iterator[None]:
    """Tag an image for a push, and remove that tag afterwards unless it existed before."""
    had = client.images.get(target.image_id).tags
    client.api.tag(target.image_id, *parse_repository_tag(target.reference))
    try:
        yield
    finally:
        if target.reference.removeprefix("docker.io/") not in had:
            client.api.remove_image(target.reference)
