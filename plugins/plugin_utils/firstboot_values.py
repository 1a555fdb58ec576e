# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Formats of first-boot settings that become arguments of programs.

The controller checks inventories and user data with it. In the package slipway_agent, boot/values.py is a link to it:
an instance checks what it reads at boot, with the Python 3.6 of EL 8.
"""

import ipaddress
import re

ADDRESS = re.compile(r"\A(?:\[(?P<ip>[^\[\]]*)\]|(?P<name>[^:\[\]]*)):(?P<port>[0-9]*)\Z")
# Underscores are in the names of some networks. The resolver takes names with a dot at the end.
LABEL = re.compile(r"\A[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
LONGEST_NAME = 253
ZONE = re.compile(r"%[A-Za-z0-9._-]{1,15}\Z")
URL = re.compile(r"\A(?P<scheme>https|http|git|file)://[^/@?#\s]*/[^\s@?#\"'\\]+\Z")
# A relative path, or the name of a branch or tag. It never starts like an option.
WORD = re.compile(r"\A[\w.@+][\w./@+-]*\Z", re.ASCII)
COMMIT = re.compile(r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
HIGHEST_PORT = 65535
# In the words of module.texts, which an instance does not have.
UNQUOTED = "is a number or a boolean in YAML, which may differ from what you wrote: quote it"


def problems(settings, place="{}"):
    """Return one sentence for each setting with an invalid value; the values themselves are not shown.

    settings: values by name; names that are not in FORMATS are ignored. place: format of a setting's name in the
    sentences, for example "docker_firstboot_{}".
    """
    found = []
    for name, (is_valid, sentence) in FORMATS.items():
        if name in settings and not is_valid(settings[name]):
            if name != "wait_for" and isinstance(settings[name], (bool, int, float)):
                sentence = UNQUOTED
            reason = address_problem(settings[name]) if name == "wait_for" else ""
            found.append(f"{place.format(name)} {sentence.format(reason=reason)}.")
    return found


def address_problem(value):
    """Return what is wrong with the first invalid one of the addresses, without showing it; "" if all are valid."""
    if not isinstance(value, list):
        return "it is not a list"
    for number, item in enumerate(value, 1):
        reason = _reason(item)
        if reason:
            return f"entry {number} {reason}"
    return ""


def _reason(item):
    if not isinstance(item, str):
        return "is not a text: quote it"
    if "://" in item:
        return "is a URL"
    found = ADDRESS.match(item)
    if not found or not found.group("port"):
        return "has no port" if found or ":" not in item else "is malformed"
    if not 0 < int(found.group("port")[:9]) <= HIGHEST_PORT or len(found.group("port")) > 5:
        return "has a port outside 1 to 65535"
    if found.group("ip") is not None:
        return "" if _is_ip(found.group("ip"), ipaddress.IPv6Address) else "has no IPv6 address in its brackets"
    return "" if is_host_name(found.group("name")) else "has an invalid host name"


def is_host_name(name):
    """Return whether this can be a host's name or IPv4 address."""
    if not isinstance(name, str):
        return False
    labels = (name[:-1] if name.endswith(".") else name).split(".")
    if not all(LABEL.match(label) for label in labels) or len(name) > LONGEST_NAME:
        return False
    return not labels[-1].isdigit() or _is_ip(name, ipaddress.IPv4Address)


def _is_ip(text, kind):
    """Return whether this is an address; the zone of one that is link-local is checked apart, for Python before 3.9."""
    try:
        kind(ZONE.sub("", text))
    except ValueError:
        return False
    return True


def is_full_commit(value):
    """Return whether the value is a full commit ID and so cannot name a branch or tag."""
    return isinstance(value, str) and bool(COMMIT.match(value))


def _are_addresses(value):
    return not address_problem(value)


def _is_url(value):
    return value == "" or (isinstance(value, str) and bool(URL.match(value)))


def _is_word(value):
    return isinstance(value, str) and bool(WORD.match(value)) and ".." not in value.split("/")


def _is_name(value):
    return value == "" or _is_word(value)


def _is_minimum(value):
    return value == "" or is_full_commit(value)


FORMATS = {
    "wait_for": (
        _are_addresses,
        "contains an invalid address: {reason}; use host:port, with IPv6 addresses in brackets",
    ),
    "pull_url": (
        _is_url,
        "is not the URL of a git repository: use https://host/path without a password, a token or a query",
    ),
    "pull_playbook": (_is_word, "is not a relative path in the repository: use a path such as site/local.yml"),
    "pull_checkout": (_is_name, "is not a branch, a tag or a full commit ID: use a name such as v1.4"),
    "pull_minimum_commit": (_is_minimum, "is not a full commit ID: get one with 'git rev-parse HEAD'"),
}
