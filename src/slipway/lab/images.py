# SPDX-License-Identifier: Apache-2.0
"""The lab's own images, from dockerfiles/images.yml; a content key in the tag shows whether one exists."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import docker

from slipway.images import builder, content_key, context, matrix, pins, render
from slipway.images.errors import ImageError
from slipway.images.image import NAMESPACE
from slipway.images.supply import ONLINE
from slipway.lab import locking, rootfs, systems, yum_repository
from slipway.lab.errors import LabError
from slipway.lab.progress import say
from slipway.lab.setting import Setting
from slipway.lab.systems import System


@dataclass(frozen=True)
class Images:
    """The tags of the host image and, offline, of the stand-in repository."""

    host: str
    description: str
    repository: str | None = None


def prepare(client: docker.DockerClient, setting: Setting, system: System = systems.DEFAULT) -> Images:
    """Build missing images for hosts of a system. The first call takes a minute or two, later calls no time.

    Raises LabError if the setting has no such system.
    """
    if setting is Setting.ONLINE:
        if system is not systems.DEFAULT:
            raise LabError(f"The online lab has {systems.DEFAULT.title} only: use LAB=offline for HOST={system.name}.")
        for base in pins.unpinned([matrix.load()["base-9"]], ONLINE):
            say(f"{base} is not pinned by a digest: run `slipway-images refresh-digests` to pin it")
        host = _build(client, "lab-host", {"BASE": _build(client, "base-9", {})})
        return Images(host, "CentOS Stream 9 from quay.io")
    return _prepare_stand_in(client, system)


def base(client: docker.DockerClient, images: Images) -> str:
    """Return the tag of the stand-in for quay.io/centos/centos:stream9, building it if it is missing."""
    assert images.repository
    return _build(client, "stand-in-base", {"BASE": _stand_in(client, systems.DEFAULT, images.repository)})


def machine(client: docker.DockerClient, images: Images, system: System = systems.DEFAULT) -> str:
    """Return the tag of the stand-in that boots as a machine, building it (about 1 min) if it is missing."""
    assert images.repository
    root = _import(client, rootfs.MACHINES[system.name])
    stand_in = _build(client, f"stand-in-{system.name}", {"BASE": root, "REPOSITORY": images.repository})
    return _build(client, f"stand-in-machine-{system.name}", {"BASE": stand_in})


def tools(client: docker.DockerClient) -> str:
    """Return the tag of the lab's tools image, importing it if it is missing."""
    return _import(client, rootfs.TOOLS)


def fingerprint(client: docker.DockerClient, images: Images) -> str | None:
    """Return the fingerprint of the stand-in repository's key; None online, where the role's default applies."""
    return yum_repository.fingerprint(client, images.repository) if images.repository else None


def _prepare_stand_in(client: docker.DockerClient, system: System) -> Images:
    with ThreadPoolExecutor() as pool:
        imported = pool.submit(_import, client, system.rootfs)
        tools_image = tools(client)
        with locking.exclusive():
            repository = yum_repository.build(client, tools_image, say)
        imported.result()
    stand_in = _stand_in(client, system, repository)
    host = _build(client, f"stand-in-host-{system.name}", {"BASE": stand_in})
    return Images(host, f"a stand-in for {system.title}, from packages of {system.debian}", repository)


def _stand_in(client: docker.DockerClient, system: System, repository: str) -> str:
    root = _import(client, system.rootfs)
    return _build(client, f"stand-in-{system.name}", {"BASE": root, "REPOSITORY": repository})


def _import(client: docker.DockerClient, definition: rootfs.Rootfs) -> str:
    def build() -> None:
        archive = rootfs.build(definition)
        client.api.import_image_from_file(
            str(archive),
            repository=f"{NAMESPACE}/{definition.name}",
            tag=definition.key,
            changes=['LABEL slipway.lab="image"'],
        )
        archive.unlink()

    return once(client, f"{NAMESPACE}/{definition.name}:{definition.key}", locking.building(definition.name), build)


def _build(client: docker.DockerClient, name: str, arguments: dict[str, str]) -> str:
    """Build an image of the matrix unless it exists; its tag is a key of its inputs."""
    image = matrix.load()[name]
    archive = context.archive(image, render.render(image))
    repository, key = f"{NAMESPACE}/{name}", content_key.content_key(archive, arguments)[:12]
    tag = f"{repository}:{key}"

    def build() -> None:
        say(f"Building the image {tag}")
        try:
            built = builder.build(
                client, name, archive, arguments=arguments, labels={"slipway.lab": "image"}, report=lambda _: None
            )
        except ImageError as error:
            raise LabError(str(error)) from error
        client.api.tag(built, repository, key)

    return once(client, tag, locking.LAB_LOCK, build)


def once(client: docker.DockerClient, tag: str, lock: locking.Lock, build: Callable[[], None]) -> str:
    """Return the tag of an image; build it, with the lock, if it is missing."""
    if not _exists(client, tag):
        with locking.exclusive(lock):
            if not _exists(client, tag):  # another command may have built it meanwhile
                build()
    return tag


def _exists(client: docker.DockerClient, tag: str) -> bool:
    return bool(client.images.list(tag))
