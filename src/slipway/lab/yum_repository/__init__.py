# SPDX-License-Identifier: Apache-2.0
"""The stand-in for Docker's yum repository: real engines of Debian's packages, repacked as signed rpms.

Built inside a container of the tools image by build.py, and served by nginx from the image that results.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import docker
from docker.models.containers import Container

from slipway.lab.errors import LabError

HERE = Path(__file__).parent
SOURCE = "/srv/slipway/source"
FINGERPRINT_FILE = "/srv/slipway/keys/fingerprint"
FINGERPRINT_LABEL = "slipway.lab.fingerprint"


def build(client: docker.DockerClient, tools_image: str, report: Callable[[str], None]) -> str:
    """Return the tag of the repository's image, building it (about 30 s) if it is missing.

    report gets a line per step. Raises LabError with the last lines when the build fails.
    """
    sources = _sources()
    key = hashlib.sha256(sources + tools_image.encode()).hexdigest()[:12]
    tag = f"slipway/stand-in-repository:{key}"
    if client.images.list(tag):
        return tag
    report("Building the stand-in repository: Debian's engines as signed rpms (about 30 s)")
    builder = client.containers.create(
        tools_image, ["python3", f"{SOURCE}/build.py"], network_mode="none", labels={"slipway.lab": "builder"}
    )
    try:
        builder.put_archive("/srv/slipway", sources)
        builder.start()
        _follow(builder, report)
        label = f"LABEL {FINGERPRINT_LABEL}={_read(builder, FINGERPRINT_FILE)} slipway.lab=image"
        command = f'CMD ["nginx", "-c", "{SOURCE}/nginx.conf"]'
        builder.commit(*tag.split(":"), changes=[label, command])
    finally:
        builder.remove(force=True)
    return tag


def fingerprint(client: docker.DockerClient, image: str) -> str:
    """Return the fingerprint of the key that signs the packages of a repository's image."""
    return str(client.images.get(image).labels[FINGERPRINT_LABEL])


def _sources() -> bytes:
    """Return this folder as a tar archive, the same bytes for the same content."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path in sorted(HERE.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                entry = tarfile.TarInfo(f"source/{path.relative_to(HERE)}")
                entry.size = path.stat().st_size
                tar.addfile(entry, io.BytesIO(path.read_bytes()))
    return archive.getvalue()


def _follow(builder: Container, report: Callable[[str], None]) -> None:
    lines: list[str] = []
    for line in builder.logs(stream=True, follow=True):
        lines.append(line.decode(errors="replace").rstrip())
        if lines[-1].startswith("* "):
            report(lines[-1])
    if builder.wait()["StatusCode"]:
        raise LabError("The stand-in repository cannot be built:\n" + "\n".join(lines[-20:]))


def _read(container: Container, path: str) -> str:
    chunks, _ = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        file = tar.extractfile(Path(path).name)
        assert file
        return file.read().decode().strip()
