# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows the one name under which the docker command line looks for the credentials of a registry."""

import ipaddress
import re
from urllib.parse import urlsplit

# The only key that serves pulls from Docker Hub; under any other they stay anonymous without a word.
HUB_KEY = "https://index.docker.io/v1/"
HUB_API = "https://registry-1.docker.io"
HUB_HOSTS = frozenset(
    ("docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com")
)
# What the browser login of the command line stores beside the key.
HUB_BROWSER_KEYS = (HUB_KEY + "access-token", HUB_KEY + "refresh-token")
EVERY_REGISTRY = "*"
SCHEME = re.compile(r"\Ahttps?://", re.IGNORECASE)
API_PATH = re.compile(r"(?:/+v[12])?/*\Z", re.IGNORECASE)
HOST = re.compile(
    r"\A(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[(?P<ipv6>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?\Z", re.ASCII
)


class RegistryNameError(ValueError):
    """The address does not name a registry; the text is the sentence for the user."""


def key_of(address):
    """The key of the registry in config.json, for any spelling of its address."""
    if address == EVERY_REGISTRY:
        return address
    if not address:
        raise RegistryNameError("the registry is empty: name it like docker.io or registry.example.com:5000")
    if re.search(r"\s", address):
        raise RegistryNameError(f"the registry {address!r} holds white space: remove it")
    if "@" in address:
        raise RegistryNameError("the registry holds a user or an @: name the host alone, the user is an option")
    host = API_PATH.sub("", SCHEME.sub("", address)).lower()
    if re.sub(r":443\Z", "", host) in HUB_HOSTS:
        return HUB_KEY
    require_host(host, address)
    return host


def require_host(host, address):
    if "/" in host:
        raise RegistryNameError(f"the registry {address!r} holds a path: credentials belong to a host, name it alone")
    match = HOST.match(host)
    if not match or not is_port(match.group("port")) or not is_ipv6(match.group("ipv6")):
        raise RegistryNameError(f"the registry {address!r} is not a host name with an optional port")


def is_port(text):
    return text is None or 0 < int(text) < 65536


def is_ipv6(text):
    try:
        return text is None or ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def names_same_registry(key, other):
    """Whether another key of config.json, however it is spelled, is about the registry of this key."""
    try:
        return key_of(other) == key
    except RegistryNameError:
        return False


def api_urls(key):
    """Where the registry's API may be, best first; plain http on this host alone."""
    if key == HUB_KEY:
        return [HUB_API]
    return ["https://" + key] + (["http://" + key] if is_loopback("http://" + key) else [])


def is_loopback(url):
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
