# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Requests to the engine about its swarm.

community.docker's modules for swarms need the Docker SDK for Python on the host, which EL and Amazon Linux do not have
in their own repositories.
"""

import http.client
import json
import re
import urllib.parse

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api

# The engine itself waits 20 s for an answer of the swarm's leader.
ANSWER_SECONDS = 60
# What the engine says while fewer than half of the managers are reachable.
NO_LEADER = re.compile(r"does not have a leader|too few managers|DeadlineExceeded|deadline exceeded|no elected primary")
OUT_OF_SEQUENCE = "update out of sequence"


class SwarmError(Exception):
    """The engine refuses a request, or the swarm is not as asked for; str() is the message, without a period."""


class EngineDownError(SwarmError):
    """No engine answers."""


def request(method, url, body=None, timeout=ANSWER_SECONDS):
    """Return the decoded answer, None if it is empty. Raises SwarmError with the engine's message."""
    connection = engine_api.UnixConnection(engine_api.SOCKET, timeout)
    headers = {"Content-Type": "application/json"}
    try:
        connection.request(method, url, body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        text = response.read(engine_api.LARGEST_ANSWER).decode("utf-8", "replace")
        status = response.status
    except (OSError, http.client.HTTPException) as error:
        raise EngineDownError(
            f"the engine does not answer at {engine_api.SOCKET} ({error or type(error).__name__}): see systemctl "
            "status docker, and run docker_engine first"
        ) from error
    finally:
        connection.close()
    if status >= 300:
        raise SwarmError(" ".join(engine_api.error_message(text).split()).rstrip("."))
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise SwarmError(f"the engine's answer to {method} {url} is not JSON") from error


def get(url, filters=None):
    """Return the answer to a GET; filters is a dict of lists."""
    query = "?" + urllib.parse.urlencode({"filters": json.dumps(filters)}) if filters else ""
    return request("GET", url + query)


def explained(error):
    """Return the message of a SwarmError, with the remedy if the swarm has no leader."""
    message = str(error)
    if not NO_LEADER.search(message):
        return message
    return (
        f"the swarm has no quorum ({message}): start the lost managers, and run this again. If that is impossible, see "
        "docker swarm init --force-new-cluster, which makes one manager the only one"
    )
