# SPDX-License-Identifier: Apache-2.0
"""The images that lab hosts are made of, and builds of images; built when they are missing and kept by content."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker

from slipway.lab import rootfs, yum_repository
from slipway.lab.errors import LabError
from slipway.lab.paths import HOST_DEFINITIONS
from slipway.lab.progress import say
from slipway.lab.setting import Setting


@dataclass(frozen=True)
class Images:
    """What hosts are made of: their image, and the image of the stand-in repository (None online)."""

    host: str
    repository: str | None
    description: str


def prepare(client: docker.DockerClient, setting: Setting) -> Images:
    """Build what is missing for the setting. The first time takes a minute or two, afterwards nothing."""
    if setting is Setting.ONLINE:
        host = _build(client, "centos-stream", {})
        return Images(host, None, "CentOS Stream 9 from quay.io")
    return _prepare_stand_in(client)


def base(client: docker.DockerClient, images: Images) -> str:
    """Return the tag of the stand-in for the image quay.io/centos/centos:stream9, building it where it is missing."""
    return _build(client, "stand-in-base", {"HOST": images.host})


def fingerprint(client: docker.DockerClient, images: Images) -> str | None:
    """Return the fingerprint of the stand-in repository's key; None online, where the role's own pin is right."""
    return yum_repository.fingerprint(client, images.repository) if images.repository else None


def _prepare_stand_in(client: docker.DockerClient) -> Images:
    with ThreadPoolExecutor() as pool:
        host_rootfs = pool.submit(_import, client, rootfs.HOST)
        tools = _import(client, rootfs.TOOLS)
        packages = yum_repository.build(client, tools, say)
        host = _build(client, "stand-in", {"ROOTFS": host_rootfs.result(), "REPOSITORY": packages})
    return Images(host, packages, "a stand-in for CentOS Stream 9, from Debian packages")


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


def _build(client: docker.DockerClient, definition: str, arguments: dict[str, str]) -> str:
    """Build host/<definition>/Dockerfile; the tag is a key of the folder's content and the arguments."""
    folder = HOST_DEFINITIONS / definition
    tag = f"slipway/{definition}:{_content_key(folder, arguments)}"
    if not _exists(client, tag):
        say(f"Building the image {tag}")
        try:
            client.images.build(
                path=str(folder), tag=tag, buildargs=arguments, labels={"slipway.lab": "image"}, rm=True
            )
        except docker.errors.BuildError as error:
            log = "".join(line.get("stream", "") for line in error.build_log)
            raise LabError(f"The image {tag} cannot be built: {error.msg}\n{log[-2000:]}") from error
    return tag


def _content_key(folder: Path, arguments: dict[str, str]) -> str:
    digest = hashlib.sha256(repr(sorted(arguments.items())).encode())
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _exists(client: docker.DockerClient, tag: str) -> bool:
    return bool(client.images.list(tag))
