# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decides which proxy leads to an address, from settings with the keys http, https and no_proxy."""

import re
from urllib.parse import urlsplit

# User and password as RFC 3986 has them: what is left out has to be percent-encoded, or URLs are split elsewhere.
USERINFO = r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+@"
ADDRESS = re.compile(r"http://(?:" + USERINFO + r")?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?/?\Z")


def is_address(text):
    """Whether this is a proxy that dnf, dockerd and Python understand alike."""
    return bool(ADDRESS.match(text))


def problem(settings):
    """A sentence on the settings that are no address, without the address, which may hold a password; or nothing."""
    keys = [key for key in ("http", "https") if settings.get(key) and not is_address(settings[key])]
    if not keys:
        return ""
    return (
        "{} must be the address of a proxy: write http://proxy.example.com:3128 or "
        "http://user:password@proxy.example.com:3128, for https too, with special characters of the password "
        "percent-encoded.".format(" and ".join("docker_engine_proxy." + key for key in keys))
    )


def proxy_for(settings, url):
    """The proxy's address, or an empty string for what is reached directly."""
    parts = urlsplit(url)
    excepted = settings.get("no_proxy") or []
    names = excepted.split(",") if isinstance(excepted, str) else excepted
    if any(covers(name.strip().lower(), parts) for name in names):
        return ""
    return settings.get(parts.scheme) or ""


def covers(name, parts):
    """Whether a name of no_proxy, such as example.com, .example.com or example.com:5000, stands for the address."""
    name, _, port = name.lstrip(".").partition(":")
    host = parts.hostname or ""
    return name == "*" or (
        bool(name) and port in ("", parts.netloc.rpartition(":")[2]) and ("." + host).endswith("." + name)
    )
