# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Collect facts side by side within one deadline, so that what hangs costs its own answer only."""

import contextlib
import os
import signal
import subprocess
import threading
import time

LIMIT_OF_OUTPUT = 4000000  # characters that a command may print


class UnansweredError(Exception):
    """A fact cannot be told; str() is the reason, which the report shows."""


class Deadline:
    """A moment of the monotonic clock, some seconds from now."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def left(self):
        """Return the seconds until then, at least a tenth, because 0 means no time limit to a socket."""
        return max(0.1, self.end - time.monotonic())


def output_of(command, deadline, any_status=False):
    """Return what a command prints.

    Raises UnansweredError if it is missing or exceeds the deadline, or, without any_status, if it fails.
    """
    name = command[0]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=dict(os.environ, LC_ALL="C"),
            start_new_session=True,
        )
    except OSError as error:
        raise UnansweredError(f"{name} cannot be run ({error.strerror})") from error
    try:
        output, errors = process.communicate(timeout=deadline.left())
    except subprocess.TimeoutExpired as error:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        raise UnansweredError(f"{name} did not answer within {deadline.seconds:g} seconds") from error
    if process.returncode and not any_status:
        last = (errors.strip() or output.strip() or "no reason given").splitlines()[-1]
        raise UnansweredError(f"{name} failed with status {process.returncode} ({last[:200]})")
    return output[:LIMIT_OF_OUTPUT]


def collect(collectors, deadline, *arguments):
    """Call each collector with the deadline and the arguments, all at once.

    collectors is a dict of functions by name. Returns a dict with the same names: facts, a value of JSON, None
    where there is an error, which is a clause; and seconds, what the answer took.
    """
    answers = {}  # type: dict[str, dict[str, object]]
    threads = {}
    for name, collector in collectors.items():
        threads[name] = threading.Thread(target=_answer, args=(answers, name, collector, deadline, arguments))
        threads[name].daemon = True  # one that hangs in the kernel does not keep the process
        threads[name].start()
    for thread in threads.values():
        thread.join(max(0, deadline.end - time.monotonic() + 0.2))
    late = f"no answer within {deadline.seconds:g} seconds"
    return {name: answers.get(name, {"facts": None, "error": late, "seconds": deadline.seconds}) for name in collectors}


def _answer(answers, name, collector, deadline, arguments):
    begin = time.monotonic()
    facts, error = None, ""
    try:
        facts = collector(deadline, *arguments)
    except UnansweredError as reason:
        error = str(reason)
    except Exception as unexpected:
        error = described(unexpected)
    answers[name] = {"facts": facts, "error": error, "seconds": round(time.monotonic() - begin, 2)}


def described(error):
    """Return a clause about an unexpected exception, without its text, which may hold a secret."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"it failed unexpectedly ({type(error).__name__})"
