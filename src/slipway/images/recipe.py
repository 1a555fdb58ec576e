# SPDX-License-Identifier: Apache-2.0
"""What one image is built from, and the image that was built from just that, where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass

import docker
from docker.errors import ImageNotFound
from docker.models.images import Image as EngineImage

from slipway.images import bases, content_key, context
from slipway.images.bases import Base
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.workshop import Workshop


@dataclass(frozen=True)
class Built:
    """An image as the engine has it; sizes in bytes, added is what it adds to its base."""

    id: str
    base_id: str
    size: int
    added: int
    layers: int


@dataclass(frozen=True)
class Recipe:
    """All that a build needs; key is that of the content."""

    image: Image
    base: Base
    archive: bytes
    network: str | None

    @property
    def arguments(self) -> dict[str, str]:
        """The build's arguments. The base goes by its id: a tag may move while others build."""
        return {"BASE": self.base.id}

    @property
    def key(self) -> str:
        """The content key."""
        made_with = {**self.arguments, "network": self.network, "version": self.image.version}
        return content_key.content_key(self.archive, made_with)

    def find(self, client: docker.DockerClient) -> Built | None:
        """Return the image that was built from this, None where the engine has none or an older one."""
        try:
            found = client.images.get(self.image.local_tags[0])
        except ImageNotFound:
            return None
        return self.describe(found) if found.labels.get(content_key.LABEL) == self.key else None

    def describe(self, found: EngineImage) -> Built:
        """Return what is to be known of an image that was built from this."""
        size = int(found.attrs["Size"])
        return Built(str(found.id), self.base.id, size, size - self.base.size, len(found.attrs["RootFS"]["Layers"]))


def recipe(workshop: Workshop, image: Image, base: Base) -> Recipe:
    """Return the recipe of an image on a base. Raises ImageError for a context that cannot be sent."""
    return Recipe(image, base, context.archive(image, workshop.dockerfile(image)), workshop.supply.network)


def current(workshop: Workshop, images: Mapping[str, Image]) -> dict[str, Built]:
    """Return the images as they are built now, by name. Raises ImageError naming those that are not, or from else."""
    found = {name: _current(workshop, image) for name, image in images.items()}
    built = {name: image for name, image in found.items() if image}
    missing = [name for name in images if name not in built]
    if missing:
        raise ImageError(
            f"Not built, or changed since they were: {', '.join(missing)}. "
            f"Run `slipway-images build {' '.join(missing)}` first."
        )
    return built


def _current(workshop: Workshop, image: Image) -> Built | None:
    client = workshop.engine.client
    base = bases.find(client, bases.reference(image, workshop.supply))
    return recipe(workshop, image, base).find(client) if base else None
