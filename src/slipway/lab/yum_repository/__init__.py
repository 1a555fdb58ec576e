# SPDX-License-Identifier: Apache-2.0
"""The stand-in for Docker's yum repository: an image that serves real engines as signed rpms.

`assemble.py` creates its content from Debian packages, in a container of the tools image without a network. The image
also runs the stand-in Docker Hub (slipway.lab.hub) and the proxy (slipway.lab.proxy), so that one builder and one
certificate serve all. It is rebuilt when one of the FOLDERS or the tools image changes.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import docker
from docker.models.containers import Container
from docker.types import LogConfig

from slipway.images.image import NAMESPACE
from slipway.lab.errors import LabError

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "hub", HERE.parent / "proxy")
HOME = PurePosixPath("/srv/slipway")
SOURCE = HOME / "source" / HERE.name
KEYS = HOME / "keys"
LABEL = "slipway.lab"
FINGERPRINT_LABEL = "slipway.repository.fingerprint"
PACKAGES_LABEL = "slipway.repository.packages"


class RepositoryBuildError(LabError):
    """The repository cannot be built; the message ends with the last lines of assemble.py."""


def build(client: docker.DockerClient, tools_image: str, report: Callable[[str], None]) -> str:
    """Return the tag of the repository's image, building it (about 15 s) if it is missing.

    report is called with a line per step. Raises RepositoryBuildError.
    """
    sources = _sources()
    tag = f"{NAMESPACE}/stand-in-repository:{_content_key(str(client.images.get(tools_image).id), sources)}"
    if client.images.list(tag):
        return tag
    container = client.containers.create(
        tools_image,
        [
            *("python3", f"{SOURCE}/assemble.py", "--debs", f"{HOME}/debs"),
            *("--out", f"{HOME}/www", "--keys", str(KEYS)),
        ],
        labels={LABEL: "builder"},
        log_config=LogConfig(type=LogConfig.types.JSON),
        network_mode="none",
    )
    try:
        container.put_archive("/", _archive(sources))
        container.start()
        _follow(container, report)
        _commit(container, tag)
    finally:
        container.remove(force=True)
    return tag


def fingerprint(client: docker.DockerClient, image: str) -> str:
    """Return the fingerprint of the signing key of an image that `build` returned."""
    return str(client.images.get(image).labels[FINGERPRINT_LABEL])


def packages(client: docker.DockerClient, image: str) -> frozenset[str]:
    """Return the installable names of the distribution and of EPEL, without placeholders."""
    return frozenset(str(client.images.get(image).labels[PACKAGES_LABEL]).split())


def _sources() -> dict[str, bytes]:
    """Return the content of all files in FOLDERS, by path relative to their common parent."""
    return {
        str(path.relative_to(HERE.parent)): path.read_bytes()
        for folder in FOLDERS
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _content_key(tools_image_id: str, sources: dict[str, bytes]) -> str:
    """Return twelve hexadecimal digits that change with the tools image and every file."""
    digest = hashlib.sha256(tools_image_id.encode())
    for name, content in sources.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def _archive(sources: dict[str, bytes]) -> bytes:
    """Return a tar archive with the files below /srv/slipway/source."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in sources.items():
            member = tarfile.TarInfo(f"{HOME.relative_to('/')}/source/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _follow(container: Container, report: Callable[[str], None]) -> None:
    """Report progress lines of the program until it exits."""
    lines = []
    for line in container.logs(stream=True, follow=True):
        lines.append(line.decode(errors="replace").rstrip())
        if lines[-1].startswith("* "):
            report(f"Stand-in repository: {lines[-1][2:]}")
    if container.wait()["StatusCode"]:
        raise RepositoryBuildError("The stand-in repository cannot be built:\n" + "\n".join(lines[-20:]))


def _commit(container: Container, tag: str) -> None:
    """Commit the container that built the repository as the image that serves it."""
    labels = {
        LABEL: "image",
        FINGERPRINT_LABEL: _read(container, KEYS / "fingerprint"),
        PACKAGES_LABEL: _read(container, HOME / "packages"),
    }
    command = ["nginx", "-c", f"{SOURCE}/nginx.conf"]
    container.commit(*tag.split(":"), conf={"Cmd": command, "Labels": labels})


def _read(container: Container, path: PurePosixPath) -> str:
    """Return the text of a file in a container, running or not."""
    chunks, _ = container.get_archive(str(path))
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        file = tar.extractfile(path.name)
        assert file
        return file.read().decode().strip()
