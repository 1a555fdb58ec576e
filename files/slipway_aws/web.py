# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Sends one HTTP request: by no proxy, after no redirect, which could lead credentials elsewhere, and not for ever."""

import http.client
import time
from collections import namedtuple
from urllib.parse import urlsplit

Answer = namedtuple("Answer", ["status", "body"])

ATTEMPTS = 3
PAUSE_SECONDS = 0.5
LARGEST_BODY = 1024 * 1024


class UnreachableError(Exception):
    """Nobody answers; the text is the reason alone."""


def send(method, url, headers, body, timeout):
    """The answer to a request, whatever its status. What finds nobody, or a server in trouble, is tried three times.

    The timeout in seconds is for each attempt to connect and for each wait for the server.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = send_once(method, url, headers, body, timeout)
            if answer.status < 500 or attempt == ATTEMPTS:
                return answer
        except (OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise UnreachableError(str(error) or type(error).__name__) from error
        time.sleep(PAUSE_SECONDS * attempt)
    raise AssertionError("the last attempt returns or raises")


def send_once(method, url, headers, body, timeout):
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=timeout)
    try:
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(LARGEST_BODY))
    finally:
        connection.close()
