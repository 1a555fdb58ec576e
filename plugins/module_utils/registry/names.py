# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Registry addresses, and the keys under which the Docker CLI stores credentials in config.json."""

import ipaddress
import re

from ansible_collections.slipway.platform.plugins.module_utils.net.host_names import (
    LONGEST_LABEL,
    LONGEST_NAME,
    is_dns_name,
    is_loopback_url,
)

# The only key that is used for pulls from Docker Hub; with any other they are silently anonymous.
HUB_KEY = "https://index.docker.io/v1/"
HUB_API = "https://registry-1.docker.io"
HUB_HOSTS = frozenset(
    ("docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com")
)
# Keys that the CLI's browser login adds.
HUB_BROWSER_KEYS = (HUB_KEY + "access-token", HUB_KEY + "refresh-token")
EVERY_REGISTRY = "*"
SCHEME = re.compile(r"\Ahttps?://", re.IGNORECASE)
API_PATH = re.compile(r"(?:/+v[12])?/*\Z", re.IGNORECASE)
HOST = re.compile(
    r"\A(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[(?P<ipv6>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?\Z", re.ASCII
)


class RegistryNameError(ValueError):
    """The address is not that of a registry; the message is for the user."""


def key_of(address):
    """Return the registry's key in config.json for any spelling of its address. Raises RegistryNameError."""
    if address == EVERY_REGISTRY:
        return address
    if not address:
        raise RegistryNameError("the registry is empty: set a host such as docker.io or registry.example.com:5000")
    if re.search(r"\s", address):
        raise RegistryNameError(f"the registry {address!r} contains whitespace: remove it")
    if "@" in address:
        raise RegistryNameError("the registry contains an @: use the host alone, and set the user in username")
    host = API_PATH.sub("", SCHEME.sub("", address)).lower()
    if re.sub(r":443\Z", "", host) in HUB_HOSTS:
        return HUB_KEY
    require_host(host, address)
    return host


def require_host(host, address):
    if "/" in host:
        raise RegistryNameError(f"the registry {address!r} contains a path: use the host alone")
    match = HOST.match(host)
    if not match or not is_port(match.group("port")) or not is_ipv6(match.group("ipv6")):
        raise RegistryNameError(f"the registry {address!r} is not a host name with an optional port")
    if not match.group("ipv6") and not is_dns_name(host.partition(":")[0]):
        raise RegistryNameError(
            f"the registry {address!r} is not a host name: each part between dots has 1 to {LONGEST_LABEL} characters, "
            f"the whole name at most {LONGEST_NAME}"
        )


def is_port(text):
    return text is None or 0 < int(text) < 65536


def is_ipv6(text):
    try:
        return text is None or ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def names_same_registry(key, other):
    """Whether another key of config.json, in any spelling, means the same registry."""
    try:
        return key_of(other) == key
    except RegistryNameError:
        return False


def api_urls(key):
    """Base URLs of the registry's API, preferred first; plain http only on the loopback interface."""
    if key == HUB_KEY:
        return [HUB_API]
    return ["https://" + key] + (["http://" + key] if is_loopback_url("http://" + key) else [])
