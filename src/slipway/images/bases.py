# SPDX-License-Identifier: Apache-2.0
"""Resolves the base of an image: another image of the matrix, one from a registry, or its stand-in."""

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
    """A base as the engine has it; digest is that of its registry, None for a local image."""

    reference: str
    id: str
    size: int  # bytes
    digest: str | None


def reference(image: Image, supply: Supply) -> str:
    """Return the name under which the engine has, or can pull, the image's base."""
    return supply.bases.get(image.base, image.base_reference)


def find(client: docker.DockerClient, reference: str) -> Base | None:
    """Return the base as the engine has it, or None."""
    try:
        return _base(reference, client.images.get(reference))
    except ImageNotFound:
        return None


def ensure(
    client: docker.DockerClient, image: Image, supply: Supply, *, refresh: bool, report: Callable[[str], None]
) -> Base:
    """Return the base of an image; pull one from a registry if it is missing, or always with refresh.

    Raises ImageError if the base is missing and cannot be pulled.
    """
    wanted = reference(image, supply)
    base = find(client, wanted)
    from_registry = not image.has_local_base and image.base not in supply.bases
    if from_registry and (refresh or not base):
        report(f"{image.name}: pulling {wanted}")
        try:
            registry.pull(client, wanted)
        except ImageError as error:
            raise ImageError(f"{image.name} cannot be built: its base {wanted} cannot be pulled. {error}") from error
        base = find(client, wanted)
    if not base:
        raise ImageError(f"{image.name} cannot be built: the engine does not have its base {wanted}. Build that first.")
    return base


def _base(reference: str, found: EngineImage) -> Base:
    digests = [str(digest).partition("@")[2] for digest in found.attrs.get("RepoDigests") or ()]
    pinned = reference.partition("@")[2]
    return Base(
        reference.partition("@")[0], str(found.id), int(found.attrs["Size"]), pinned or next(iter(digests), None)
    )
