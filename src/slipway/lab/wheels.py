# SPDX-License-Identifier: Apache-2.0
"""The server of Python wheels for image builds offline, which has what this machine's pip downloads for it.

Its image is the stand-in repository's with the wheels in it, kept by what is wanted and by constraints.txt.
"""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import docker
from docker.models.networks import Network

from slipway.lab import servers
from slipway.lab.errors import LabError
from slipway.lab.networks import Attachment
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.progress import say

CONTAINER = "slipway-wheels"
NAME = "wheels.slipway.test"
WANTED = ("ansible-core",)  # each comes with all that it depends on
PYTHON = "3.11"  # the stand-in's
CONSTRAINTS = PROJECT / "constraints.txt"


def start(client: docker.DockerClient, repository: str, network: Network) -> None:
    """Have the server running, from an image of `yum_repository.build`. Raises LabError when pip cannot download."""
    servers.start(client, _image(client, repository), [Attachment(network, [NAME])], name=CONTAINER, role="wheels")


def _image(client: docker.DockerClient, repository: str) -> str:
    """Return the tag of the server's image, making it where it is missing."""
    tag = f"slipway/stand-in-wheels:{_key()}-{repository.rpartition(':')[2]}"
    if not client.images.list(tag):
        container = client.containers.create(repository)
        try:
            container.put_archive("/srv/slipway", _archive(_downloaded()))
            container.commit(*tag.split(":"))
        finally:
            container.remove(force=True)
    return tag


def _downloaded() -> Path:
    """Return the folder of the wheels, downloading them first (about 5 s) where it is missing."""
    folder = LAB / f"wheels-{_key()}"
    if folder.exists():
        return folder
    say(f"Downloading the wheels of {', '.join(WANTED)} for Python {PYTHON}")
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    kind = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON]
    done = subprocess.run(
        [*pip, *kind, "--constraint", CONSTRAINTS, "--dest", unfinished, *WANTED],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(
            f"The wheels of {', '.join(WANTED)} cannot be downloaded: see that pip works on this machine, which says:\n"
            f"{done.stderr[-2000:]}"
        )
    unfinished.rename(folder)
    return folder


def _key() -> str:
    """Return twelve hexadecimal digits that change when what is wanted does."""
    definition = json.dumps([WANTED, PYTHON, CONSTRAINTS.read_text()])
    return hashlib.sha256(definition.encode()).hexdigest()[:12]


def _archive(folder: Path) -> bytes:
    """Return a tar archive with the folder's files below wheels/, which everybody may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in sorted(folder.iterdir()):
            member = tarfile.TarInfo(f"wheels/{file.name}")
            member.size, member.mode = file.stat().st_size, 0o644
            tar.addfile(member, io.BytesIO(file.read_bytes()))
    return buffer.getvalue()
