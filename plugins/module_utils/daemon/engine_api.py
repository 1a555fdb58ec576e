# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Client for the engine's API over its unix socket."""

import http.client
import json
import os
import socket
import time

SOCKET = "/run/docker.sock"
POLL_SECONDS = 0.05
# The read timeout of pulls and builds, longer than any of their steps is silent.
SILENCE_SECONDS = 1800
# Bytes of an answer that is read at once. Engines of users answer root too, and may say anything.
LARGEST_ANSWER = 64 << 20


class EngineError(Exception):
    """An error response, with the engine's own message, or a lost connection."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def get(path, url, timeout):
    """Return the body of a GET, or None unless the response is 200, UTF-8 and whole. timeout is in seconds."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request("GET", url)
        response = connection.getresponse()
        body = response.read(LARGEST_ANSWER + 1)
        return body.decode() if response.status == 200 and len(body) <= LARGEST_ANSWER else None
    except (OSError, http.client.HTTPException, UnicodeDecodeError):
        return None
    finally:
        connection.close()


def occupied(path):
    """Return the message about a directory at the socket's path, as a bind mount of a missing socket makes it."""
    if not os.path.isdir(path):
        return None
    return f"{path} is a directory, so the engine cannot create its socket there: run rmdir {path}"


def ping(path, timeout=1.0):
    """Whether the engine responds."""
    return get(path, "/_ping", timeout) == "OK"


def get_json(path, url, timeout=5.0):
    """Return the decoded body of a GET, or an empty dict."""
    return json.loads(get(path, url, timeout) or "{}")


def post(path, url, headers=(), body=None, timeout=SILENCE_SECONDS):
    """Yield the messages of the response to a POST.

    Raises EngineError, also for an error message in a response with a success status.
    """
    connection = UnixConnection(path, timeout)
    try:
        connection.request("POST", url, body=body, headers=dict(headers))
        response = connection.getresponse()
        if response.status >= 300:
            raise EngineError(error_message(response.read(LARGEST_ANSWER).decode("utf-8", "replace")))
        for line in response:
            message = json.loads(line.decode("utf-8", "replace")) if line.strip() else {}
            if "error" in message:
                raise EngineError(message["error"])
            yield message
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EngineError(f"the connection to the engine at {path} failed: {error or type(error).__name__}") from error
    finally:
        connection.close()


def error_message(body):
    """The message in the body of an error response."""
    try:
        return json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return body.strip()


def wait_until(condition, timeout, pause=POLL_SECONDS):
    """Poll until the condition holds; return False on timeout (in seconds, as is the pause between polls)."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
