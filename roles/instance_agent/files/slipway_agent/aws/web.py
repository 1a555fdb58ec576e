# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Sends HTTP requests with a time limit.

Proxies are not used and redirects are not followed, because both could pass credentials to another server.
"""

import http.client
import time
from collections import namedtuple
from urllib.parse import urlsplit

Answer = namedtuple("Answer", ["status", "body"])

ATTEMPTS = 3
PAUSE_SECONDS = 0.5
LARGEST_BODY = 1024 * 1024


class UnreachableError(Exception):
    """The server cannot be reached. The message is the reason without a remedy."""


def send(method, url, headers, body, timeout):
    """Send a request and return the response, whatever its status.

    Connection errors and 5xx responses are retried. timeout: seconds for each connection attempt and each read. Raises
    UnreachableError after the last attempt.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = send_once(method, url, headers, body, timeout)
            if answer.status < 500 or attempt == ATTEMPTS:
                return answer
        except (OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise UnreachableError(str(error) or type(error).__name__) from error
        except (ValueError, OverflowError):
            # Drop the cause, which may quote a header with credentials.
            raise UnreachableError("the address is not valid") from None
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
