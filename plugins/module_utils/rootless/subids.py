# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Ranges of subordinate user and group numbers in /etc/subuid and /etc/subgid (subuid(5))."""

import collections
import contextlib
import errno
import fcntl
import grp
import os
import pwd

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError

SUBUID, SUBGID = "/etc/subuid", "/etc/subgid"
LOGIN_DEFS = "/etc/login.defs"
# Of lckpwdf(3): useradd and usermod take it before any of their files, and give up after as many seconds.
LOCK = "/etc/.pwd.lock"
LOCK_SECONDS = 15
# Of shadow-utils, where login.defs sets none.
MINIMUM, MAXIMUM = 100000, 600100000

# owner: the name of a user, or a user ID as a text.
Range = collections.namedtuple("Range", "owner start count")


def end(item):
    return item.start + item.count


def parse(text):
    """Return the ranges in the text of a file; lines that are none are skipped, as newuidmap does."""
    found = []
    for line in (text or "").splitlines():
        fields = line.split(":")
        if len(fields) == 3 and fields[1].isdigit() and fields[2].isdigit():
            found.append(Range(fields[0], int(fields[1]), int(fields[2])))
    return found


def owned(ranges, account):
    return [item for item in ranges if item.owner in (account.name, str(account.uid))]


def overlap(one, other):
    return one.start < end(other) and other.start < end(one)


def foreign(ranges, account):
    return [item for item in ranges if item not in owned(ranges, account)]


def refuse_overlaps(ranges, account, path):
    """Raise RootlessError if a range of the user shares numbers with that of another user."""
    for own in owned(ranges, account):
        for other in foreign(ranges, account):
            if overlap(own, other):
                raise RootlessError(
                    "{0} gives numbers from {1} on to {2} and to {3}, whose containers could read and write each "
                    "other's files: take the range from one of them, as in usermod --del-sub{4}s {5}-{6} {3}".format(
                        path,
                        max(own.start, other.start),
                        account.name,
                        other.owner,
                        "uid" if path == SUBUID else "gid",
                        other.start,
                        end(other) - 1,
                    )
                )


def has_enough(ranges, account, start, count):
    """Return whether the user has the wanted range, or, without a start, as many numbers."""
    own = owned(ranges, account)
    if start is None:
        return sum(item.count for item in own) >= count
    return any(item.start <= start and start + count <= end(item) for item in own)


def bounds(login_defs):
    """Return the lowest and the highest number that useradd assigns, from the text of login.defs."""
    values = dict(line.split(None, 2)[:2] for line in (login_defs or "").splitlines() if len(line.split()) > 1)
    lowest, highest = (
        [int(value) for value in (values.get(f"SUB_{kind}_{which}", "") for kind in ("UID", "GID")) if value.isdigit()]
        for which in ("MIN", "MAX")
    )
    return max(lowest or [MINIMUM]), min(highest or [MAXIMUM])


def lowest_free(taken, count, lowest, highest):
    """Return the lowest start of a range that shares no number with the taken ones; None if there is none."""
    start = lowest
    for item in sorted(taken, key=lambda item: item.start):
        if overlap(Range("", start, count), item):
            start = end(item)
    return start if start + count - 1 <= highest else None


def accounts():
    """Return the numbers of real users and groups as ranges; a directory service may not list all of them."""
    numbers = {entry.pw_uid for entry in pwd.getpwall()} | {entry.gr_gid for entry in grp.getgrall()}
    return [Range("", number, 1) for number in numbers]


def choose(account, entry, known, login_defs=None):
    """Return the Range that the user needs, the same in both files; None if they have one.

    known: the ranges of each file by path. Raises RootlessError for ranges that overlap, and if none is free.
    """
    start, count = entry["subid_start"], entry["subid_count"]
    for path, ranges in known.items():
        refuse_overlaps(ranges, account, path)
    if all(has_enough(ranges, account, start, count) for ranges in known.values()):
        return None
    taken = [item for ranges in known.values() for item in ranges] + accounts()
    if start is None:
        lowest, highest = bounds(files.read_text(LOGIN_DEFS) if login_defs is None else login_defs)
        start = lowest_free(taken, count, lowest, highest)
        if start is None:
            raise RootlessError(
                f"{SUBUID} and {SUBGID} have no {count} free numbers from {lowest} to {highest} for {account.name}: "
                f"remove ranges of users who are gone, or raise SUB_UID_MAX and SUB_GID_MAX in {LOGIN_DEFS}"
            )
    wanted = Range(account.name, start, count)
    for path, ranges in known.items():
        for item in ranges:
            if overlap(wanted, item) and item != wanted:  # an interrupted run may have written one of the files
                raise RootlessError(
                    f"the subid range of {account.name} that starts at {start} overlaps that of {item.owner} in "
                    f"{path}, {item.start} to {end(item) - 1}: "
                    f"let it start at {end(item)} or later, or leave subid_start out"
                )
    clash = [item.start for item in taken if not item.owner and overlap(wanted, item)]
    if clash:
        raise RootlessError(
            f"the subid range of {account.name} that starts at {start} contains {clash[0]}, which is the number of a "
            "real user or group: choose another subid_start, or leave it out"
        )
    return wanted


def added(text, item):
    """Return the text of a file with a line for the range."""
    text = text or ""
    if item in parse(text):
        return text
    return text + ("" if not text or text.endswith("\n") else "\n") + "{}:{}:{}\n".format(*item)


def without(text, item):
    """Return the text of a file without the line for the range."""
    line = "{}:{}:{}".format(*item)
    return "".join(kept for kept in (text or "").splitlines(True) if kept.rstrip("\n") != line)


@contextlib.contextmanager
def locked(path=LOCK, seconds=LOCK_SECONDS):
    """Keep useradd and the like from changing the files within the context. Raises RootlessError after the seconds."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not engine_api.wait_until(lambda: try_lock(descriptor), seconds):
            raise RootlessError(
                f"another program, such as useradd, has locked {path} for {seconds} seconds: wait for its end "
                f"(fuser {path} names it), and run again"
            )
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor):
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        return False
    return True


def read():
    """Return the texts of both files by path; None for one that does not exist."""
    return {path: files.read_text(path) for path in (SUBUID, SUBGID)}


def rewrite(changed):
    """Replace the texts of files by path, each atomically and with its mode; the caller holds the lock."""
    for path, text in changed.items():
        mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644
        files.write_atomically(path, text, mode)
