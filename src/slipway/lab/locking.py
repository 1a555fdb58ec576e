# SPDX-License-Identifier: Apache-2.0
"""Locks that let one command of a clone at a time use a shared resource."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.lab import disk
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB
from slipway.lab.progress import say

_held = threading.local()


@dataclass(frozen=True)
class Lock:
    """A lock file, and what its holder is doing, for the message to waiting commands."""

    file: Path
    doing: str


LAB_LOCK = Lock(LAB / "lock", "building the lab")  # the engine, the images and the servers
TESTS_LOCK = Lock(LAB / "tests.lock", "running tests")  # the hosts of the tests, which have fixed names
MACHINE_LOCK = Lock(LAB / "machine.lock", "running an emulated machine")  # which keeps all processors busy


def building(name: str) -> Lock:
    """Return the lock of one thing that takes a minute to build, in which other commands need the rest of the lab."""
    return Lock(LAB / f"{name}.lock", f"building {name}")


@contextmanager
def exclusive(lock: Lock | None = None) -> Iterator[None]:
    """Hold a lock, LAB_LOCK by default, for a block or a function; print a line before waiting for another holder.

    A thread may nest it. The kernel releases the lock when the process ends. Raises LabError if the lock file cannot be
    written.
    """
    lock = lock or LAB_LOCK
    if getattr(_held, lock.file.name, False):
        yield
        return
    try:
        descriptor = _acquire(lock)
    except OSError as error:
        reason = str(error.strerror)
        raise LabError(
            disk.full(f"Writing {lock.file}", reason)
            or f"{lock.file} cannot be written ({reason}): give this user write permission."
        ) from error
    setattr(_held, lock.file.name, True)
    try:
        yield
    finally:
        setattr(_held, lock.file.name, False)
        os.close(descriptor)


def _acquire(lock: Lock) -> int:
    """Return a descriptor of the locked file, which contains the holder's process id."""
    path, said = lock.file, False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not said:
                holder = os.read(descriptor, 20).decode() or "unknown"
                say(f"Another command of this clone (process {holder}) is {lock.doing}: waiting for it to finish")
                said = True
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_current(descriptor, path):
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return descriptor
        os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    """Return whether the locked file is still the one at the path: `make down` removes it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
