# SPDX-License-Identifier: Apache-2.0
"""What an image is truly built on: an image of ours, a registry's, or what stands in for that."""

from collections.abc import Callable
from dataclasses import dataclass

import docker
from docker.errors import ImageNotFound
from docker.models.images import Image as EngineImage

from slipway.images import registry
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.supply import Supply


@dataclass(frozen=True)
class Base:
    """A base as the engine has it; digest is the registry's, where it came from one."""

    reference: str
    id: str
    size: int  # bytes
    digest: str | None


def reference(image: Image, supply: Supply) -> str:
    """Return the name under which the engine has, or can pull, the image's base."""
    return supply.bases.get(image.base, image.base_reference)


def find(client: docker.DockerClient, reference: str) -> Base | None:
    """Return the base as the engine has it; None when it has not."""
    try:
        return _base(reference, client.images.get(reference))
    except ImageNotFound:
        return None


def have(
    client: docker.DockerClient, image: Image, supply: Supply, *, renew: bool, report: Callable[[str], None]
) -> Base:
    """Return the base of an image, pulled where it is a registry's and is missing or to be renewed.

    Raises ImageError when it is not there and cannot be pulled.
    """
    wanted = reference(image, supply)
    base = find(client, wanted)
    from_registry = not image.stands_on_ours and image.base not in supply.bases
    if from_registry and (renew or not base):
        report(f"{image.name}: pulling {wanted}")
        try:
            registry.pull(client, wanted)
        except ImageError as error:
            raise ImageError(f"{image.name} cannot be built, its base {wanted} cannot be pulled. {error}") from error
        base = find(client, wanted)
    if not base:
        raise ImageError(f"{image.name}: the base {wanted} is not there: build it first.")
    return base


def _base(reference: str, found: EngineImage) -> Base:
    digests = [str(digest).partition("@")[2] for digest in found.attrs.get("RepoDigests") or ()]
    pinned = reference.partition("@")[2]
    return Base(
        reference.partition("@")[0], str(found.id), int(found.attrs["Size"]), pinned or next(iter(digests), None)
    )
