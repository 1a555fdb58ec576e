# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Classification of the engine's pull errors, with remedies."""

import re
from collections import namedtuple

Fault = namedtuple("Fault", ["remedy", "transient"])

# (pattern, cause and remedy, whether a retry may help); the first match wins.
KINDS = (
    (
        r"no space left on device",
        "the disk of the data root is full: run docker system prune, or enlarge the disk",
        False,
    ),
    (r"toomanyrequests|rate limit", "the registry limits the pull rate: log in, or try again later", False),
    (
        r"proxyconnect|Proxy Authentication",
        "the engine's proxy failed: correct docker_engine_proxy and run the role docker_engine",
        False,
    ),
    (
        r"x509|certificate",
        "the certificate of the registry is not trusted: add its CA as /etc/docker/certs.d/{registry}/ca.crt (not for "
        "Docker Hub), or to the system's trust store and then restart the engine",
        False,
    ),
    (
        r"server gave HTTP response to HTTPS client",
        "the registry does not use TLS: configure a certificate there, or list it in insecure-registries of "
        "docker_engine_daemon_options",
        False,
    ),
    (
        r"unauthorized|(?<!permission )denied|authentication required|no basic auth|incorrect username|forbidden",
        "the registry denies access to {who}: check the image name, and the login for {registry} and user {user} in "
        "docker_registry_auth_logins",
        False,
    ),
    (
        r"no matching manifest|does not match the specified platform",
        "the image does not support the architecture of this host: check the digest",
        False,
    ),
    (
        r"manifest unknown|not found|name unknown|manifest for .* invalid",
        "the registry does not have it: check the name and the digest",
        False,
    ),
    (
        r"dial tcp|timeout|Timeout|no such host|connection re|EOF|unreachable|lookup |HTTP status: 5|5\d\d .*Error",
        "{registry} cannot be reached: check its name, DNS, the network and the engine's proxy (docker_engine_proxy)",
        True,
    ),
)
UNKNOWN = "see journalctl -u docker"


def of(message, registry, user, logged_in):
    """Classify an error message of the engine, whose API has no error codes for pulls."""
    who = f"the login of user {user}" if logged_in else "anonymous pulls"
    for pattern, remedy, transient in KINDS:
        if re.search(pattern, message):
            return Fault(remedy.format(registry=registry, user=user, who=who), transient)
    return Fault(UNKNOWN, False)
