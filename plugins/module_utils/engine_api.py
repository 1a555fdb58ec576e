# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks the engine's API over its unix socket."""

import http.client
import json
import socket
import time

POLL_SECONDS = 0.05
# Longer than any step of a pull or a build goes without a word.
SILENCE_SECONDS = 1800


class EngineError(Exception):
    """The engine refuses, or breaks off; the text is its own."""


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
    """The body of a successful GET, or None when the engine does not answer so."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request("GET", url)
        response = connection.getresponse()
        return response.read().decode() if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ping(path, timeout=1.0):
    """Whether the engine answers."""
    return get(path, "/_ping", timeout) == "OK"


def get_json(path, url, timeout=5.0):
    """The decoded body, or an empty dict."""
    return json.loads(get(path, url, timeout) or "{}")


def post(path, url, headers=(), body=None, timeout=SILENCE_SECONDS):
    """Yield the messages with which the engine answers a POST.

    Raises EngineError, also when the error comes as a message after the engine has begun with a success.
    """
    connection = UnixConnection(path, timeout)
    try:
        connection.request("POST", url, body=body, headers=dict(headers))
        response = connection.getresponse()
        if response.status >= 300:
            raise EngineError(reason_of(response.read().decode("utf-8", "replace")))
        for line in response:
            message = json.loads(line.decode("utf-8", "replace")) if line.strip() else {}
            if "error" in message:
                raise EngineError(message["error"])
            yield message
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EngineError(f"the engine at {path} breaks off: {error or type(error).__name__}") from error
    finally:
        connection.close()


def reason_of(body):
    """What an answer that is no success says."""
    try:
        return json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return body.strip()


def wait_until(condition, timeout):
    """Poll until the condition holds; False when the time is up."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
