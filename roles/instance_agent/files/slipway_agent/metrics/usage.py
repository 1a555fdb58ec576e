# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks file systems for their usage, which can take forever where a server does not answer.

A process of its own asks, and is killed where it does not return: in a thread, it would keep this one from ending.
"""

import os
import select
import signal
import time
from collections import namedtuple

# Of os.statvfs, in the order in which the process writes them.
Status = namedtuple("Status", ["f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"])
# seconds: how long nothing came; 0 if it was not asked, since others took all the time.
Hung = namedtuple("Hung", "seconds")

LONGEST_READING = 2
# Of all, so that the unit has time left to publish what could be read.
LONGEST = 12


def by_mount(mounts):
    """Yield each mount with its Status, an OSError or Hung."""
    mounts = list(mounts)
    deadline = time.monotonic() + LONGEST
    while mounts:
        if time.monotonic() >= deadline:
            yield mounts.pop(0), Hung(0)
            continue
        answered = 0
        for status in answers([mount.path for mount in mounts], deadline):
            yield mounts[answered], status
            answered += 1
        mounts = mounts[answered:]
        if mounts:
            yield mounts.pop(0), Hung(LONGEST_READING)


def answers(paths, deadline):
    """Yield a Status or an OSError for each path, until one of them does not answer."""
    ours, theirs = os.pipe()
    process = os.fork()
    if not process:
        ask(paths, theirs)
    os.close(theirs)
    try:
        lines = b""
        for _ in paths:
            while b"\n" not in lines:
                patience = min(LONGEST_READING, deadline - time.monotonic())
                if patience <= 0 or not select.select([ours], [], [], patience)[0]:
                    return
                chunk = os.read(ours, 4096)
                if not chunk:
                    return
                lines += chunk
            line, _, lines = lines.partition(b"\n")
            yield answer(line)
    finally:
        os.close(ours)
        os.kill(process, signal.SIGKILL)
        for _ in range(100):  # one in an uninterruptible wait stays until the server answers, and init reaps it
            if os.waitpid(process, os.WNOHANG)[0]:
                break
            time.sleep(0.01)


def ask(paths, output):
    """Write a line for each path: the fields, or the number of an error. It ends the process."""
    try:
        for path in paths:
            try:
                status = os.statvfs(path)
                numbers = [getattr(status, name) for name in Status._fields]
            except OSError as error:
                numbers = [error.errno or 0]
            except ValueError:  # a path that no file can have
                numbers = [0]
            os.write(output, (" ".join(map(str, numbers)) + "\n").encode())
    finally:
        os._exit(0)


def answer(line):
    numbers = [int(number) for number in line.split()]
    return Status(*numbers) if len(numbers) == len(Status._fields) else OSError(numbers[0], os.strerror(numbers[0]))
