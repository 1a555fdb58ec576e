# SPDX-License-Identifier: Apache-2.0
"""The inputs of one image, and the lookup of the image already built from them."""

from collections.abc import Mapping
from dataclasses import dataclass

import docker
from docker.errors import ImageNotFound
from docker.models.images import Image as EngineImage

from slipway.images import bases, content_key, context
from slipway.images.bases import Base
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import Image


@dataclass(frozen=True)
class Built:
    """A built image; size in bytes, added in bytes beyond its base."""

    id: str
    size: int
    added: int
    layers: int


@dataclass(frozen=True)
class Recipe:
    """All inputs of a build."""

    image: Image
    base: Base
    archive: bytes
    network: str | None

    @property
    def arguments(self) -> dict[str, str]:
        """The build arguments. The base is given by id: its tag may move during the build."""
        return {"BASE": self.base.id}

    @property
    def key(self) -> str:
        """The content key."""
        inputs = {**self.arguments, "network": self.network, "version": self.image.version}
        return content_key.content_key(self.archive, inputs)

    def find(self, client: docker.DockerClient) -> Built | None:
        """Return the image built from this recipe, or None if the engine has none or an outdated one."""
        try:
            found = client.images.get(self.image.local_tags[0])
        except ImageNotFound:
            return None
        return self.describe(found) if found.labels.get(content_key.LABEL) == self.key else None

    def describe(self, found: EngineImage) -> Built:
        """Return the facts about an image built from this recipe."""
        size = int(found.attrs["Size"])
        return Built(str(found.id), size, size - self.base.size, len(found.attrs["RootFS"]["Layers"]))


def recipe(environment: BuildEnvironment, image: Image, base: Base) -> Recipe:
    """Return the recipe of an image on a base. Raises ImageError for an invalid build context."""
    return Recipe(image, base, context.archive(image, environment.dockerfile(image)), environment.supply.network)


def current(environment: BuildEnvironment, images: Mapping[str, Image]) -> dict[str, Built]:
    """Return the built images by name. Raises ImageError with those that are missing or outdated."""
    found = {name: _current(environment, image) for name, image in images.items()}
    built = {name: image for name, image in found.items() if image}
    missing = [name for name in images if name not in built]
    if missing:
        raise ImageError(
            f"Not built, or out of date: {', '.join(missing)}. Run `slipway-images build {' '.join(missing)}` first."
        )
    return built


def _current(environment: BuildEnvironment, image: Image) -> Built | None:
    client = environment.engine.client
    base = bases.find(client, bases.reference(image, environment.supply))
    return recipe(environment, image, base).find(client) if base else None
