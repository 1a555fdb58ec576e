# SPDX-License-Identifier: Apache-2.0
"""The root file system that the lab bakes or boots: a machine that looks like CentOS Stream.

It is the image stand-in-machine, unpacked into a folder. The archive is cached by the image's tag.
"""

import os
import shutil
import subprocess
from pathlib import Path

import docker

from slipway.lab import atomic_folder, images, locking, systems
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.paths import LAB
from slipway.lab.progress import say
from slipway.lab.systems import System

# Empty files that Docker creates in every container.
DOCKER_FILES = (".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf")
# rpm 4.20 runs scriptlets only where / is a mount point.
IN_CHROOT = 'mount --bind "$0" "$0"; exec chroot "$0" "$@"'
ENGINE = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


def unpack(lab: Lab, folder: Path, system: System = systems.DEFAULT, *, on_disk: bool = False) -> None:
    """Create the folder with the machine's files, owned as on a disk. Raises LabError if that is not possible.

    on_disk makes a disk first, the file .raw beside the folder's parent, and mounts it there.
    """
    if not lab.images.repository:
        raise LabError("The lab has a machine to bake only when it is offline: use LAB=offline.")
    if os.geteuid() != 0:
        raise LabError(
            "A machine's root file system has devices and owners that only root can create: run this as root."
        )
    new = folder.parent if on_disk else folder
    if new.exists():
        raise LabError(f"{new} exists: remove it first, or name another folder.")
    archive = _archive(lab, system)
    if on_disk:
        _mount_disk(new)
    excluded = [f"--exclude={name}" for name in DOCKER_FILES]
    with atomic_folder.create(folder) as root:
        root.chmod(0o755)  # the machine's /, regardless of the umask
        subprocess.run(
            ["tar", "--extract", "--numeric-owner", "--anchored", *excluded, "--file", archive, "--directory", root],
            check=True,
        )
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (root / "etc/hosts").chmod(0o644)
        (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")


def install_engine(folder: Path, tree: str, system: System = systems.DEFAULT) -> None:
    """Install the engine as a person would do it, trusting its key unseen. tree is the URL of the package tree."""
    repository = f"--repofrompath=docker,{tree}/{system.tree}/x86_64/stable"
    install = ["dnf", "--assumeyes", "--quiet", repository, "--nogpgcheck", "install", *ENGINE]
    subprocess.run(["unshare", "--mount", "sh", "-ec", IN_CHROOT, folder, *install], check=True)


def remove(folder: Path) -> None:
    """Remove the folder if it exists, with the disks in it. Raises LabError if something else is mounted in it."""
    for disk in folder.glob("*.raw"):
        if disk.with_suffix("").is_mount():
            subprocess.run(["umount", disk.with_suffix("")], check=True)
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [mount for mount in mounts if Path(mount).is_relative_to(folder.resolve())]
    if below:
        raise LabError(f"{folder} contains mount points: run `umount {' '.join(below)}`, then remove it again.")
    if folder.exists():
        shutil.rmtree(folder)


def _mount_disk(folder: Path) -> None:
    """Make and mount a disk that every file reaches which exists for a second, even if it is removed later."""
    folder.mkdir(parents=True)
    disk = folder.with_suffix(".raw")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", disk, "2G"], check=True)
    subprocess.run(["mount", "--options", "loop,nodelalloc,commit=1", disk, folder], check=True)


def _archive(lab: Lab, system: System) -> Path:
    """Return the machine as a tar archive, creating it (about 1 min) if it is missing."""
    image = images.machine(lab.client, lab.images, system)
    archive = LAB / f"{image.rpartition('/')[2].replace(':', '-')}.tar"
    with locking.exclusive(locking.building(archive.stem)):
        if not archive.exists():
            say("Writing the machine's root file system below .lab")
            _export(lab.client, image, archive)
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
