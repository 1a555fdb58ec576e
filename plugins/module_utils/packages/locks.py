# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Run dnf, and wait for a process that holds its lock or rpm's, but not forever."""

import fcntl
import os
import re
import struct
import time

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

# Of rpm's database, wherever it is. dnf 4 has locks of its own, whose holders it names.
RPM_LOCKS = ("/var/lib/rpm/.rpm.lock", "/usr/lib/sysimage/rpm/.rpm.lock")
EXIT_ON_LOCK = "--setopt=exit_on_lock=1"  # otherwise dnf 4 waits forever
LOCKED = 200  # exit status of dnf 4 when another process holds its lock
HOLDER = re.compile(r"locked by ([0-9]+)")
# What dnf 4 and dnf 5 say when rpm imports no key or runs no transaction, for whatever reason.
REFUSED = re.compile(r"can't create transaction lock|Could not run transaction|Rpm transaction failed|GPG check FAILED")
LOCK_SECONDS = 60
POLL_SECONDS = 2
LOCK_FORMAT = "hhqqi"  # struct flock: type, whence, start, length, PID


class LockError(Exception):
    """Another process holds the lock for too long; str() is the message, without a full stop."""


def run(module, command):
    """Return dnf's exit status, output and errors; raise LockError after LOCK_SECONDS of waiting for its lock."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        code, output, errors = module.run_command(command, environ_update={"LC_ALL": "C"})
        holder = holder_of(code, errors)
        if not holder:
            return code, output, errors
        if time.monotonic() > end:
            raise LockError(
                f"{holder} has held the lock of dnf or rpm for more than {LOCK_SECONDS} seconds: wait until it has "
                "finished, or stop it, then run again"
            )
        time.sleep(POLL_SECONDS)


def holder_of(code, errors):
    """Describe the process whose lock made dnf fail; None if dnf did not fail for that reason."""
    if code == LOCKED:
        found = HOLDER.search(errors)
        return described(int(found.group(1)) if found else 0)
    if code and REFUSED.search(errors):
        return next((described(pid) for pid in map(holder_of_file, RPM_LOCKS) if pid is not None), None)
    return None


def holder_of_file(path):
    """Return the PID of the process that holds a lock on the file, 0 if it is not visible from here, else None."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        asked = struct.pack(LOCK_FORMAT, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(LOCK_FORMAT, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else max(pid, 0)


def described(pid):
    name = (read_text(f"/proc/{pid}/comm") or "").strip() if pid else ""
    return f"process {pid} ({name})" if name else f"process {pid}" if pid else "another process"
