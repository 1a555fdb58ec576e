# SPDX-License-Identifier: Apache-2.0
"""Storage for the private engine's data that supports overlay mounts, also those of nested engines.

An overlay mount cannot be stacked on an overlay, such as a container's root file system. Without overlay mounts an
engine copies every image layer in full (storage driver vfs).
"""

import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SCRIPT = Path(__file__).with_name("storage.sh")
GIB = 1024**3
LARGEST_IMAGE = 64 * GIB  # a sparse file
LEAST_MEMORY = 8 * GIB  # free memory, for the data and for processes
SHARE_OF_MEMORY = 0.75  # of the free memory, as the limit for the data


class Kind(StrEnum):
    """The clone's own file system, an ext4 image on it that is mounted through a loop device, or a tmpfs."""

    DIRECT = "direct"
    IMAGE = "image"
    MEMORY = "memory"


@dataclass(frozen=True)
class Storage:
    """A kind of storage, its size limit in bytes (0: none), and a progress message."""

    kind: Kind
    limit: int = 0
    message: str = ""

    def arguments(self, root: Path) -> list[str]:
        """Return the arguments of storage.sh for an engine in the root file system `root`."""
        return [str(root), self.kind, str(self.limit)]


def choose(root: Path) -> Storage:
    """Return the first kind of storage below the root file system `root` that supports overlay mounts.

    If none does, return the clone's file system, with a message about the cost and the remedy.
    """
    where = f"The file system of {root.parent} does not support overlay mounts"
    candidates = [
        Storage(Kind.DIRECT),
        Storage(
            Kind.IMAGE,
            min(LARGEST_IMAGE, shutil.disk_usage(root).free),
            f"{where}, so the engine keeps its data in a sparse ext4 image on it.",
        ),
    ]
    memory = available_memory()
    if memory >= LEAST_MEMORY:
        limit = int(memory * SHARE_OF_MEMORY)
        message = f"{where}, so the engine keeps its data in memory (up to {limit / GIB:.0f} GiB)."
        candidates.append(Storage(Kind.MEMORY, limit, message))
    for candidate in candidates:
        if works(root, candidate):
            return candidate
    return Storage(
        Kind.DIRECT,
        message=f"{where}, loop devices cannot be used, and less than {LEAST_MEMORY // GIB} GiB of memory is free: "
        "the engine copies every image layer (vfs), and `make up` takes about ten minutes instead of two. To avoid "
        "this, put the clone on a volume.",
    )


def works(root: Path, storage: Storage) -> bool:
    """Return whether the storage and an overlay on it can be mounted, tried in a temporary mount namespace."""
    command = ["unshare", "--mount", "sh", str(SCRIPT), *storage.arguments(root)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def available_memory(control_groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the free memory in bytes: the machine's, or less if a container's limit (cgroup v1 or v2) is lower."""
    machine = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()
    free = [int(machine[0]) * 1024]
    for limit, usage in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # the other cgroup version, or "max"
            used = int((control_groups / usage).read_text())
            free.append(int((control_groups / limit).read_text()) - used)
    return min(free)
