# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells from a failed request through a proxy whether the proxy is to blame, and what helps."""

import re
import socket
import urllib.error
from collections import namedtuple
from urllib.parse import urlsplit

from ansible_collections.slipway.platform.plugins.module_utils.url_secrets import split_credentials

Fault = namedtuple("Fault", ["reason", "remedy"])

# What http.client says of a CONNECT that was answered with another status than 200.
TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")


def find(proxy, url, error, variable):
    """What a user has to correct, or None for all else; variable is where users name the proxy."""
    address, user, _ = split_credentials(proxy)
    name = urlsplit(address).netloc
    host = urlsplit(url).hostname
    status = refusal(error)
    if status == 407 and user:
        return Fault(f"the proxy {name} refuses user {user} (HTTP 407)", f"correct user and password in {variable}")
    if status == 407:
        return Fault(
            f"the proxy {name} wants a user and a password (HTTP 407)",
            f"write http://user:password@{name} in {variable}",
        )
    if status == 403:
        return Fault(
            f"the proxy {name} does not allow {host} (HTTP 403)",
            f"have {host} allowed there, or add it to no_proxy of {variable} where it is reached directly",
        )
    reason = getattr(error, "reason", error)
    if isinstance(reason, (ConnectionRefusedError, socket.gaierror)):
        return Fault(f"the proxy {name} does not answer: {reason.strerror}", f"correct {variable}")
    return None


def refusal(error):
    """The status with which the proxy itself has answered, or None."""
    if isinstance(error, urllib.error.HTTPError):
        return 407 if error.code == 407 else None  # other statuses may be the server's
    tunnel = TUNNEL.search(str(error))
    return int(tunnel.group(1)) if tunnel else None
