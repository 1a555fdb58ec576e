# SPDX-License-Identifier: Apache-2.0
"""The root file system of a machine that looks like CentOS Stream 9 and boots by itself: what the lab bakes.

It is the image stand-in-machine as a folder. Its archive is kept by what it is made of.
"""

import os
import shutil
import subprocess
from pathlib import Path

import docker

from slipway.lab import images
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB
from slipway.lab.progress import say

# Docker puts these, empty, into every container.
DOCKERS_OWN = (".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf")


def unpack(client: docker.DockerClient, made_of: images.Images, folder: Path) -> None:
    """Make the folder with the machine in it, owned by root as a disk's content is. Raises LabError where it cannot."""
    if not made_of.repository:
        raise LabError("The lab has a machine of its own with LAB=offline only.")
    if os.geteuid() != 0:
        raise LabError("A machine's root file system has devices and owners that only root can make: run this as root.")
    if folder.exists():
        raise LabError(f"{folder} exists: remove it first, or name another folder.")
    archive = _archive(client, made_of)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    excluded = [f"--exclude={name}" for name in DOCKERS_OWN]
    subprocess.run(
        ["tar", "--extract", "--numeric-owner", "--anchored", *excluded, "--file", archive, "--directory", unfinished],
        check=True,
    )
    (unfinished / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (unfinished / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    unfinished.rename(folder)


def remove(folder: Path) -> None:
    """Remove the folder; one that is not there is no error. Raises LabError where that would reach into a mount."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [mount for mount in mounts if Path(mount).is_relative_to(folder.resolve())]
    if below:
        raise LabError(f"{folder} has mounts, so it is not removed: umount {' '.join(below)}")
    if folder.exists():
        shutil.rmtree(folder)


def _archive(client: docker.DockerClient, made_of: images.Images) -> Path:
    """Return the machine as a tar archive, making it first (about 1 min) where it is missing."""
    image = images.machine(client, made_of)
    archive = LAB / f"{image.removeprefix('slipway/').replace(':', '-')}.tar"
    if not archive.exists():
        say("Writing the machine's root file system below .lab")
        _export(client, image, archive)
    return archive


def _export(client: docker.DockerClient, image: str, archive: Path) -> None:
    unfinished = archive.with_suffix(".unfinished")
    container = client.containers.create(image)
    try:
        with unfinished.open("wb") as stream:
            stream.writelines(client.api.export(str(container.id)))
    finally:
        container.remove()
    unfinished.rename(archive)
