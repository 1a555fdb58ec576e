# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tell whether a proxy caused a request to fail, and what fixes it."""

import re
import socket
import urllib.error
from collections import namedtuple
from urllib.parse import urlsplit

from ansible_collections.slipway.platform.plugins.module_utils.net.url_secrets import (
    PUBLIC_PASSWORDS,
    split_credentials,
)

Fault = namedtuple("Fault", ["reason", "remedy"])

# The message of http.client when CONNECT is answered with a status other than 200.
TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")


def find(proxy, url, error, variable):
    """Return the Fault of the proxy, or None if it is not to blame; variable is the setting that names the proxy."""
    address, user, password = split_credentials(proxy)
    name = urlsplit(address).netloc
    host = urlsplit(url).hostname
    status = refusal(error)
    if status == 407 and user:
        who = "the token" if (password or "") in PUBLIC_PASSWORDS else f"user {user}"
        return Fault(f"the proxy {name} rejects {who} (HTTP 407)", f"correct the user and password in {variable}")
    if status == 407:
        return Fault(
            f"the proxy {name} requires a user and password (HTTP 407)",
            f"write http://user:password@{name} in {variable}",
        )
    if status == 403:
        return Fault(
            f"the proxy {name} does not allow {host} (HTTP 403)",
            f"allow {host} on the proxy, or add it to no_proxy in {variable} if it can be reached directly",
        )
    reason = getattr(error, "reason", error)
    if isinstance(reason, (ConnectionRefusedError, socket.gaierror)):
        return Fault(f"the proxy {name} does not answer: {reason.strerror}", f"correct {variable}")
    return None


def refusal(error):
    """Return the HTTP status if the proxy itself sent it, or None."""
    if isinstance(error, urllib.error.HTTPError):
        return 407 if error.code == 407 else None  # other statuses may come from the server
    tunnel = TUNNEL.search(str(error))
    return int(tunnel.group(1)) if tunnel else None
