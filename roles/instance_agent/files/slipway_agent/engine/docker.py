# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks the engine by the docker command, each time with a time limit."""

import json
import subprocess
from collections import namedtuple

SOCKET = "unix:///var/run/docker.sock"
ANSWER_SECONDS = 10
# Of a container that sets none: the engine's default.
STOP_SECONDS = 10

# started: when, as a text that sorts by time. grace: seconds that the container has to stop.
Container = namedtuple("Container", ["name", "started", "grace"])


class EngineError(Exception):
    """The engine did not do what was asked. The message is the reason without a remedy."""


class MissingError(EngineError):
    """The docker command is not installed."""


def version():
    """Return the engine's version."""
    return run(["version", "--format", "{{ .Server.Version }}"], ANSWER_SECONDS).strip()


def running(seconds):
    """Return the running containers."""
    names = run(["ps", "--quiet", "--no-trunc"], seconds).split()
    if not names:
        return []
    try:
        return [container(found) for found in json.loads(run(["container", "inspect", *names], seconds))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"unexpected description of containers: {error}") from error


def container(found):
    grace = found["Config"].get("StopTimeout")
    # The engine omits zeros at the end of a time, so that only without the Z do texts sort by time.
    started = found["State"]["StartedAt"].rstrip("Z")
    return Container(found["Name"].lstrip("/"), started, STOP_SECONDS if grace is None else grace)


def stop(name, grace):
    """Stop a container: with its signal, and after so many seconds by force."""
    run(["stop", "-t", str(grace), name], grace + ANSWER_SECONDS)


def run(arguments, seconds):
    """Return the output of a docker command."""
    command = ["docker", "--host", SOCKET, *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=seconds,
            universal_newlines=True,
            errors="backslashreplace",
        )
    except FileNotFoundError as error:
        raise MissingError("the docker command is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"no response within {seconds} s") from error
    if done.returncode:
        raise EngineError(" ".join(done.stderr.split()))
    return done.stdout
