# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Validate proxy settings (a dict with the keys http, https and no_proxy) and choose the proxy for a URL."""

import ipaddress
import re
from urllib.parse import urlsplit

from ansible_collections.slipway.platform.plugins.module_utils.net.host_names import is_dns_name
from ansible_collections.slipway.platform.plugins.module_utils.net.url_secrets import VALID_USERINFO

ADDRESS = re.compile(
    r"http://(?:" + VALID_USERINFO + r")?(?:\[[0-9A-Fa-f:.]+\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?/?\Z"
)
OTHER_SCHEMES = re.compile(r"\A(?:https|socks5)://")  # of proxies that Go supports, but dnf or Python does not
PORT = re.compile(r":([0-9]*)\Z")  # of an entry of no_proxy that is not an address alone
LARGEST_PORT = 65535


def is_address(text):
    """Return whether this is a proxy address that dnf, dockerd and Python all accept."""
    match = ADDRESS.match(text) if isinstance(text, str) else None
    if not match or not 0 < int(match.group("port") or 1) <= LARGEST_PORT:
        return False
    return match.group("name") is None or is_dns_name(match.group("name"))


def problem(settings, variable="docker_engine_proxy", names=("http", "https")):
    """Return a message about invalid addresses in the settings, or ""; variable is the settings' name.

    The message leaves the addresses out, since they may contain a password.
    """
    keys = [key for key in names if settings.get(key) and not is_address(settings[key])]
    if not keys:
        return ""
    return (
        "{} must be a proxy address: write http://proxy.example.com:3128 or "
        "http://user:password@proxy.example.com:3128, also for https, and percent-encode special characters in the "
        "password.".format(" and ".join(f"{variable}.{key}" for key in keys))
    )


def problem_of_daemon(options):
    """Return a message about invalid addresses in the proxies of the engine's options, or ""."""
    settings = options.get("proxies")
    if not isinstance(settings, dict):
        return ""
    addresses = {
        name: OTHER_SCHEMES.sub("http://", value) if isinstance(value, str) else value
        for name, value in settings.items()
        if name != "no-proxy"
    }
    return problem(addresses, "docker_engine_daemon_options.proxies", addresses)


def environment(settings):
    """Return the variables of a program that uses the proxy, in both spellings; "" for one to leave out.

    Without an address in the settings, the program keeps its own.
    """
    if not (settings.get("http") or settings.get("https")):
        return {}
    no_proxy = settings.get("no_proxy") or []
    values = {
        "HTTP_PROXY": settings.get("http") or "",
        "HTTPS_PROXY": settings.get("https") or "",
        "NO_PROXY": no_proxy if isinstance(no_proxy, str) else ",".join(no_proxy),
        "ALL_PROXY": "",
    }
    return {spelling: value for name, value in values.items() for spelling in (name, name.lower())}


def proxy_for(settings, url):
    """Return the address of the proxy for a URL, or "" if it is reached directly."""
    parts = urlsplit(url)
    no_proxy = settings.get("no_proxy") or []
    names = no_proxy.split(",") if isinstance(no_proxy, str) else no_proxy
    if any(matches(name.strip().lower(), parts) for name in names):
        return ""
    return settings.get(parts.scheme) or ""


def matches(name, parts):
    """Return whether a no_proxy entry matches the URL, as the engine reads it.

    Such as example.com, .example.com, *.example.com, example.com:5000, 10.0.0.7, 10.0.0.0/8, fd00::7 or [fd00::7]:5000.
    """
    if name == "*":
        return True
    host = parts.hostname or ""
    address, network = parsed(ipaddress.ip_address, host), parsed(ipaddress.ip_network, name, strict=False)
    if network:
        return address is not None and address in network
    found = PORT.search(name)
    if found:
        if found.group(1) not in ("", parts.netloc.rpartition("@")[2].rpartition(":")[2]):
            return False
        name = name[: found.start()]
    if name.startswith("["):
        return address is not None and address == parsed(ipaddress.ip_address, name[1:-1])
    name = (name[1:] if name.startswith("*.") else name).lstrip(".")
    return bool(name) and ("." + host).endswith("." + name)


def parsed(kind, text, **options):
    """Return the IP address or network in a text, or None."""
    try:
        return kind(text, **options)
    except ValueError:
        return None
