# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells apart why the engine could not pull, from what it says, and what helps."""

import re
from collections import namedtuple

Fault = namedtuple("Fault", ["sentence", "passes"])

# The first pattern that is found decides. What passes by itself is worth another try.
KINDS = (
    (
        r"no space left on device",
        "there is no space left for it: run docker system prune or give the data root more",
        False,
    ),
    (r"toomanyrequests|rate limit", "the registry limits the rate of pulls: log in, or try again later", False),
    (
        r"proxyconnect|Proxy Authentication",
        "the engine's proxy is to blame: correct docker_engine_proxy and run docker_engine",
        False,
    ),
    (
        r"x509|certificate",
        "the certificate of the registry is not trusted: put its CA into the system's trust store, "
        "then restart the engine",
        False,
    ),
    (
        r"server gave HTTP response to HTTPS client",
        "the registry has no TLS: name it in insecure-registries of "
        "docker_engine_daemon_options, or better give it a certificate",
        False,
    ),
    (
        r"unauthorized|(?<!permission )denied|authentication required|no basic auth|incorrect username|forbidden",
        "the registry lets {who} not have it: give the right login for {registry} and user {user} in "
        "docker_registry_auth_logins, and look at the name",
        False,
    ),
    (
        r"no matching manifest|does not match the specified platform",
        "it is not made for the architecture of this host: look at the digest",
        False,
    ),
    (
        r"manifest unknown|not found|name unknown|manifest for .* invalid",
        "the registry does not have it: look at the name and the digest",
        False,
    ),
    (
        r"dial tcp|timeout|Timeout|no such host|connection re|EOF|unreachable|lookup |HTTP status: 5|5\d\d .*Error",
        "{registry} cannot be reached: check its name, DNS, the network and the engine's proxy (docker_engine_proxy)",
        True,
    ),
)
UNKNOWN = "look at journalctl -u docker"


def of(message, registry, user, logged_in):
    """The fault in an error of the engine. It decides by words: the engine's API has nothing finer."""
    who = f"the login of user {user}" if logged_in else "anonymous pulls"
    for pattern, sentence, passes in KINDS:
        if re.search(pattern, message):
            return Fault(sentence.format(registry=registry, user=user, who=who), passes)
    return Fault(UNKNOWN, False)
