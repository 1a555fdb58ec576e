# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks the engine's API over its unix socket."""

import http.client
import json
import socket
import time

POLL_SECONDS = 0.05


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


def wait_until(condition, timeout):
    """Poll until the condition holds; False when the time is up."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
