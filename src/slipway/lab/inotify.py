# SPDX-License-Identifier: Apache-2.0
"""The kernel's limit of inotify instances per user. It limits the number of lab hosts, which all run as root."""

import os
from contextlib import suppress
from pathlib import Path

from slipway.lab.errors import LabError
from slipway.lab.paths import LAB
from slipway.lab.progress import say

SYSCTL = "fs.inotify.max_user_instances"
LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
BEFORE = LAB / "inotify-limit"  # the original value, for `make down` to restore
ENOUGH = 1024  # for two labs of 32 hosts, and other processes of root
PER_HOST = 7  # systemd, its services and an engine
OTHERS = 9  # other processes of root: with the default of 128, 17 hosts boot


def raise_limit() -> None:
    """Raise the limit if it is too low and writable; `restore_limit` undoes this."""
    before = _limit()
    if before is None or before >= ENOUGH or not os.access(LIMIT, os.W_OK):  # a container's /proc/sys is read-only
        return
    if not BEFORE.exists():
        BEFORE.parent.mkdir(parents=True, exist_ok=True)
        BEFORE.write_text(f"{before}\n")
    _write(ENOUGH)
    say(f"Raised {SYSCTL} from {before} to {ENOUGH}, so that many lab hosts can boot; `make down` restores it")


def restore_limit() -> None:
    """Restore the limit that `raise_limit` found, unless it has changed since."""
    with suppress(OSError, ValueError):
        before = int(BEFORE.read_text())
        if _limit() == ENOUGH:
            _write(before)
        BEFORE.unlink()


def require_room(hosts: int) -> None:
    """Raise LabError if the limit is too low for this total number of hosts."""
    limit = _limit()
    if limit is not None and hosts * PER_HOST + OTHERS > limit:
        raise LabError(
            f"{hosts} lab hosts need {hosts * PER_HOST} inotify instances, but {SYSCTL} is {limit}: use at most "
            f"{max(0, limit - OTHERS) // PER_HOST} hosts, or run `sysctl {SYSCTL}={ENOUGH}` as root."
        )


def _limit() -> int | None:
    """Return the limit, or None if the kernel is not Linux."""
    with suppress(OSError, ValueError):
        return int(LIMIT.read_text())
    return None


def _write(limit: int) -> None:
    LIMIT.write_text(f"{limit}\n")
