# SPDX-License-Identifier: Apache-2.0
"""The server of Python wheels for offline image builds; this machine's pip downloads them.

Its image is that of the stand-in repository plus the wheels, tagged by a key of the toolbox's requirements.txt. They
are the files of that lock: an image gets the same ones here and online.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import docker
from docker.models.networks import Network

from slipway.images.image import NAMESPACE
from slipway.lab import atomic_folder, servers
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.networks import Attachment
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.progress import say

CONTAINER = "slipway-wheels"
NAME = "wheels.slipway.test"
REQUIREMENTS = PROJECT / "dockerfiles/contexts/toolbox/requirements.txt"
PYTHON = "3.11"  # of the stand-in


def start(lab: Lab, network: Network) -> None:
    """Start the server on a network unless it runs. Raises LabError if pip cannot download the wheels."""
    assert lab.images.repository
    image = _image(lab.client, lab.images.repository)
    servers.start(lab, image, [Attachment(network, [NAME])], name=CONTAINER, role="wheels")


def _image(client: docker.DockerClient, repository: str) -> str:
    """Return the tag of the server's image, creating it if it is missing."""
    tag = f"{NAMESPACE}/stand-in-wheels:{_key()}-{repository.rpartition(':')[2]}"
    if not client.images.list(tag):
        container = client.containers.create(repository)
        try:
            container.put_archive("/srv/slipway", _archive(_download()))
            container.commit(*tag.split(":"))
        finally:
            container.remove(force=True)
    return tag


def _download() -> Path:
    """Return the folder of the wheels, downloading them (about 5 s) if it is missing."""
    folder = LAB / f"wheels-{_key()}"
    if folder.exists():
        return folder
    say(f"Downloading the wheels of the toolbox for Python {PYTHON}")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    kind = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON]
    with atomic_folder.create(folder) as wheels:
        done = subprocess.run(
            [*pip, *kind, "--require-hashes", "--requirement", REQUIREMENTS, "--dest", wheels],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LabError(
                f"pip cannot download the wheels of {REQUIREMENTS}: make pip work on this machine, then run again.\n"
                f"{done.stderr[-2000:]}"
            )
    return folder


def _key() -> str:
    """Return twelve hexadecimal digits that change with the requirements and Python."""
    definition = json.dumps([PYTHON, REQUIREMENTS.read_text()])
    return hashlib.sha256(definition.encode()).hexdigest()[:12]


def _archive(folder: Path) -> bytes:
    """Return a tar archive with the folder's files below wheels/, world-readable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in sorted(folder.iterdir()):
            member = tarfile.TarInfo(f"wheels/{file.name}")
            member.size, member.mode = file.stat().st_size, 0o644
            tar.addfile(member, io.BytesIO(file.read_bytes()))
    return buffer.getvalue()
