# SPDX-License-Identifier: Apache-2.0
"""The images that lab hosts and builds stand on: the lab's own entries of dockerfiles/images.yml, kept by content."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import docker

from slipway.images import content_key, context, matrix, render
from slipway.lab import rootfs, yum_repository
from slipway.lab.errors import LabError
from slipway.lab.progress import say
from slipway.lab.setting import Setting


@dataclass(frozen=True)
class Images:
    """What hosts are made of: their image, and offline that of the stand-in repository, and what the host stands on."""

    host: str
    description: str
    repository: str | None = None
    stand_in: str | None = None


def prepare(client: docker.DockerClient, setting: Setting) -> Images:
    """Build what is missing for the setting. The first time takes a minute or two, afterwards nothing."""
    if setting is Setting.ONLINE:
        host = _build(client, "lab-host", {"BASE": _build(client, "base-9", {})})
        return Images(host, "CentOS Stream 9 from quay.io")
    return _prepare_stand_in(client)


def base(client: docker.DockerClient, images: Images) -> str:
    """Return the tag of the stand-in for the image quay.io/centos/centos:stream9, building it where it is missing."""
    assert images.stand_in
    return _build(client, "stand-in-base", {"BASE": images.stand_in})


def machine(client: docker.DockerClient, images: Images) -> str:
    """Return the tag of the stand-in that can boot as a machine, building it (about 1 min) where it is missing."""
    assert images.repository
    root = _import(client, rootfs.MACHINE)
    stand_in = _build(client, "stand-in", {"BASE": root, "REPOSITORY": images.repository})
    return _build(client, "stand-in-machine", {"BASE": stand_in})


def fingerprint(client: docker.DockerClient, images: Images) -> str | None:
    """Return the fingerprint of the stand-in repository's key; None online, where the role's own pin is right."""
    return yum_repository.fingerprint(client, images.repository) if images.repository else None


def _prepare_stand_in(client: docker.DockerClient) -> Images:
    with ThreadPoolExecutor() as pool:
        host_rootfs = pool.submit(_import, client, rootfs.HOST)
        tools = _import(client, rootfs.TOOLS)
        packages = yum_repository.build(client, tools, say)
        stand_in = _build(client, "stand-in", {"BASE": host_rootfs.result(), "REPOSITORY": packages})
    host = _build(client, "stand-in-host", {"BASE": stand_in})
    return Images(host, "a stand-in for CentOS Stream 9, from Debian packages", packages, stand_in)


def _import(client: docker.DockerClient, definition: rootfs.Rootfs) -> str:
    tag = f"slipway/{definition.name}:{definition.key}"
    if not _exists(client, tag):
        archive = rootfs.build(definition)
        client.api.import_image_from_file(
            str(archive),
            repository=f"slipway/{definition.name}",
            tag=definition.key,
            changes=['LABEL slipway.lab="image"'],
        )
        archive.unlink()
    return tag


def _build(client: docker.DockerClient, name: str, arguments: dict[str, str]) -> str:
    """Build an image of the matrix; its tag is a key of all that it is made of."""
    image = matrix.load()[name]
    archive = context.archive(image, render.render(image))
    tag = f"slipway/{name}:{content_key.content_key(archive, arguments)[:12]}"
    if not _exists(client, tag):
        say(f"Building the image {tag}")
        try:
            client.images.build(
                fileobj=io.BytesIO(archive),
                custom_context=True,
                dockerfile=context.DOCKERFILE,
                tag=tag,
                buildargs=arguments,
                labels={"slipway.lab": "image"},
                rm=True,
            )
        except docker.errors.BuildError as error:
            log = "".join(line.get("stream", "") for line in error.build_log)
            raise LabError(f"The image {tag} cannot be built: {error.msg}\n{log[-2000:]}") from error
    return tag


def _exists(client: docker.DockerClient, tag: str) -> bool:
    return bool(client.images.list(tag))
