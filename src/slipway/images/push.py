# SPDX-License-Identifier: Apache-2.0
"""Publishes built images: all checks first, then the tags that name one content for ever, then those that move.

A registry that cannot be reached, a login that is refused or a tag that would change its content leave the registry as
it was. Tags that move, such as latest, move when all else is published and was pulled back as it was built.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import docker
from docker.utils import parse_repository_tag

from slipway.images import availability, graph, registry
from slipway.images.errors import ImageError
from slipway.images.image import NAMESPACE, Image
from slipway.images.recipe import Built, current
from slipway.images.supply import Supply
from slipway.images.workshop import Workshop


@dataclass(frozen=True)
class Target:
    """A name that a built image is to have in a registry."""

    image_id: str
    reference: str

    @property
    def repository(self) -> str:
        """The name without its tag."""
        return parse_repository_tag(self.reference)[0]


def push(
    workshop: Workshop, names: Sequence[str] = (), *, prefix: str | None = None, overwrite: bool = False
) -> dict[str, str]:
    """Publish the images of these names, all that are to be where there is none; return digests by reference.

    prefix is HOST[:PORT][/PATH]; without it images go to the supply's registry, else to Docker Hub. overwrite lets a
    tag change its content. Raises ImageError before anything is pushed: for images that are not to be published or are
    not built from what the project has, a registry that cannot be reached or refuses the login, tags that are taken.
    """
    client = workshop.engine.client
    chosen = _to_publish(workshop, names)
    prefix = prefix or _default_prefix(workshop)
    host = registry.host_of(f"{prefix}/{NAMESPACE}")
    _refuse_stand_ins(workshop.supply, host)
    built = current(workshop, chosen)
    lasting = [target for image in chosen.values() for target in _targets(image, image.tags, built[image.name], prefix)]
    moving = [
        target for image in chosen.values() for target in _targets(image, image.moving_tags, built[image.name], prefix)
    ]
    account = registry.log_in(client, host, workshop.supply.registry)
    new = _new(client, lasting, account, overwrite=overwrite)
    digests = {}
    for target in (*new, *moving):
        workshop.report(f"pushing {target.reference}")
        digests[target.reference] = _publish(client, target, account)
    return digests


def _targets(image: Image, tags: Iterable[str], built: Built, prefix: str) -> list[Target]:
    return [Target(built.id, f"{prefix}/{image.repository}:{tag}") for tag in tags]


def _default_prefix(workshop: Workshop) -> str:
    own = workshop.supply.registry
    return f"{own.address if own else 'docker.io'}/{NAMESPACE}"


def _refuse_stand_ins(supply: Supply, host: str) -> None:
    """Nobody is to take for the real thing what was built on a stand-in."""
    if supply.bases and not (supply.registry and supply.registry.address == host):
        raise ImageError(
            f"What is built from {supply.description} goes to the lab's registry alone, not to {host}: "
            "build and push with LAB=online."
        )


def _to_publish(workshop: Workshop, names: Sequence[str]) -> dict[str, Image]:
    """Return the images to publish; without names, those that are to be and can be built here."""
    chosen = graph.named(workshop.images, names)
    private = [name for name, image in chosen.items() if not image.publish]
    if names and private:
        raise ImageError(
            f"Not to be published: {', '.join(private)}. Leave out what is not, or set `publish: true` in the matrix."
        )
    unavailable = availability.unavailable(graph.with_bases(workshop.images, chosen), workshop.supply)
    for name in unavailable if not names else ():
        workshop.report(f"{name}: left out, {unavailable[name]}")
    left_out = {*private, *(() if names else unavailable)}
    return {name: image for name, image in chosen.items() if name not in left_out}


def _new(
    client: docker.DockerClient, targets: Sequence[Target], account: str | None, *, overwrite: bool
) -> list[Target]:
    """Return the targets that the registry does not have yet. Raises ImageError for those with other content there."""
    there = {target: _id_there(client, target, account) for target in targets}
    taken = [target.reference for target, image_id in there.items() if image_id and image_id != target.image_id]
    if taken and not overwrite:
        raise ImageError(
            f"Published with other content: {', '.join(taken)}. "
            "Give the image new tags in the matrix, or push with --overwrite."
        )
    return [target for target, image_id in there.items() if image_id != target.image_id]


def _id_there(client: docker.DockerClient, target: Target, account: str | None) -> str | None:
    """Return the id of the image that has the name in the registry, None where none has."""
    try:
        digest = registry.digest_of(client, target.reference, account)
    except registry.NotThere:
        return None
    except registry.Denied:
        if account:  # Docker Hub, for one, denies what it does not have; whether this account may push, the push tells
            return None
        raise
    return _pull_back(client, target, digest, account)


def _publish(client: docker.DockerClient, target: Target, account: str | None) -> str:
    """Push a target, pull it back, and return its digest. Raises ImageError when something else comes back."""
    with _tagged(client, target):
        digest = registry.push(client, target.reference, account)
        came_back = _pull_back(client, target, digest, account)
    if came_back != target.image_id:
        raise ImageError(
            f"{target.reference}@{digest} was pushed as {target.image_id} and came back as {came_back}: "
            "do not use it, and ask the registry's administrator."
        )
    return digest


def _pull_back(client: docker.DockerClient, target: Target, digest: str, account: str | None) -> str:
    """Pull what the registry has under a digest and return its image id; the name goes, and what only it names."""
    reference = f"{target.repository}@{digest}"
    image_id = registry.pull(client, reference, account)
    client.api.remove_image(reference)
    return image_id


@contextmanager
def _tagged(client: docker.DockerClient, target: Target) -> Iterator[None]:
    """Give an image the name under which it is pushed, for as long as that takes."""
    had = client.images.get(target.image_id).tags
    client.api.tag(target.image_id, *parse_repository_tag(target.reference))
    try:
        yield
    finally:
        if target.reference.removeprefix("docker.io/") not in had:
            client.api.remove_image(target.reference)
