# SPDX-License-Identifier: Apache-2.0
"""Serves the stand-in repository on the machine's loopback, which a chroot shares."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import docker

from slipway.lab import atomic_folder, locking, yum_repository
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.paths import LAB

LOG = LAB / "loopback-repository.log"
PID_FILE = LAB / "loopback-repository.pid"
START_SECONDS = 10


@locking.exclusive()
def start(lab: Lab) -> str:
    """Start the server unless it runs; return the URL of its tree. Raises LabError.

    Parallel tests share the server, so that it runs until the lab is removed.
    """
    assert lab.images.repository
    folder = _content(lab.client, lab.images.repository)
    if str(folder) not in _running():
        stop()  # it serves the content of an older image
        _serve(folder)
    return f"http://127.0.0.1:{_port()}/linux"


def stop() -> None:
    """Stop the server if it runs."""
    if _running():
        os.kill(int(PID_FILE.read_text()), signal.SIGTERM)
        while _running():
            time.sleep(0.05)


def _content(client: docker.DockerClient, repository: str) -> Path:
    """Return the folder with the content of the repository's image, copying it below .lab if it is missing."""
    folder = LAB / repository.rpartition("/")[2].replace(":", "-")
    if folder.exists():
        return folder / "www"
    archive = folder.with_suffix(".tar")
    container = client.containers.create(repository)
    try:
        chunks, _ = container.get_archive(str(yum_repository.HOME / "www"))
        with archive.open("wb") as stream:
            stream.writelines(chunks)
    finally:
        container.remove()
    with atomic_folder.create(folder) as content:
        # Debian 12's tarfile has no filters.
        subprocess.run(["tar", "--extract", "--no-same-owner", "--file", archive, "--directory", content], check=True)
    archive.unlink()
    return folder / "www"


def _serve(folder: Path) -> None:
    arguments = ["http.server", "--bind", "127.0.0.1", "--directory", str(folder), "0"]
    command = [sys.executable, "-u", "-m", *arguments]
    with LOG.open("w") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    PID_FILE.write_text(str(server.pid))
    deadline = time.monotonic() + START_SECONDS
    while not _port():
        if server.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"The repository server did not start on the loopback:\n{LOG.read_text()[-2000:]}")
        time.sleep(0.05)


def _port() -> str:
    """Return the port from the server's first line, 'Serving HTTP on 127.0.0.1 port 40000 (...', or ""."""
    return LOG.read_text().partition(" port ")[2].partition(" ")[0]


def _running() -> list[str]:
    """Return the server's command line, or [] if it is not running."""
    with suppress(OSError, ValueError):
        command = Path(f"/proc/{int(PID_FILE.read_text())}/cmdline").read_text().split("\0")
        return command if "http.server" in command else []
    return []
