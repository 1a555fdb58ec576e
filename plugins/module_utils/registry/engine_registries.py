# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the engine's daemon.json says about registries and the way to them; it is only read."""

import ipaddress

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text
from ansible_collections.slipway.platform.plugins.module_utils.net.proxies import is_address


def read(path):
    """Return the options of daemon.json; {} if it is absent, unreadable or invalid."""
    try:
        return daemon_json.parse(read_text(path))
    except OSError:
        return {}


def texts(options, name):
    """The strings in a list of the options."""
    found = options.get(name)
    return [value for value in found if isinstance(value, str)] if isinstance(found, list) else []


def is_insecure(options, key):
    """Whether insecure-registries names the registry, by its name or by a network that has its address."""
    names = [name.partition("://")[2] or name for name in texts(options, "insecure-registries")]
    if key in [name.lower() for name in names]:
        return True
    host = key[1:].partition("]")[0] if key.startswith("[") else key.partition(":")[0]
    return any(is_within(host, name) for name in names if "/" in name)


def proxies(options):
    """The engine's own proxy settings, in the form of module_utils/net/proxies.py; {} without a valid address."""
    found = options.get("proxies")
    values = {
        name: value
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, str) and (name == "no-proxy" or is_address(value))
    }
    named = {name: values[name + "-proxy"] for name in ("http", "https") if name + "-proxy" in values}
    return dict(named, no_proxy=values.get("no-proxy", "")) if named else {}


def is_within(host, network):
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
