# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Judge names and addresses of hosts by their form; no resolver is asked."""

import ipaddress
from urllib.parse import urlsplit

# Of DNS.
LONGEST_LABEL = 63
LONGEST_NAME = 253


def is_dns_name(name):
    """Return whether the name and its labels are short enough for the resolver, which would raise a UnicodeError.

    A dot at the end, as of a name that is complete, does not count.
    """
    name = name[:-1] if name.endswith(".") else name
    return len(name) <= LONGEST_NAME and all(0 < len(label) <= LONGEST_LABEL for label in name.split("."))


def is_loopback(host):
    """Return whether this is certain to be a loopback address; names other than localhost are not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_loopback_url(url):
    """Return whether the host of a URL is a loopback address."""
    return is_loopback(urlsplit(url).hostname or "")
