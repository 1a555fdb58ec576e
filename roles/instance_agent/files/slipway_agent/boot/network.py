# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the network is up."""

import socket

from slipway_agent.boot import waiting

ROUTES = "/proc/net/route"
ROUTES_6 = "/proc/net/ipv6_route"
REJECT = 0x200  # RTF_REJECT, of linux/route.h: a route that rejects packets
CONNECT_SECONDS = 5


def wait(addresses, seconds):
    """Wait until each address (host:port) accepts a connection, or for a default route if there are none."""
    if not addresses:
        return waiting.until(default_route, seconds)
    for address in addresses:
        waiting.until(lambda address=address: connect(address), seconds)
    return "connected to " + ", ".join(addresses)


def connect(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that DNS cannot have
        reason = getattr(error, "strerror", None) or error
        raise waiting.NotYetError(
            f"{address} does not respond ({reason}): check the instance's network, security groups and DNS"
        ) from error


def default_route():
    interface = interface_of(text_of(ROUTES)) or interface_of_6(text_of(ROUTES_6))
    if not interface:
        raise waiting.NotYetError(
            "there is no default route: check the instance's network. If it has none by design, list the addresses "
            "that it must reach in docker_firstboot_wait_for"
        )
    return "default route via " + interface


def text_of(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:  # IPv6 may be disabled
        return ""


def interface_of(routes):
    """Return the interface of a default route in the text of /proc/net/route, or None."""
    for line in routes.splitlines()[1:]:
        interface, destination, _, flags, _, _, _, mask = line.split()[:8]
        if int(destination, 16) == 0 and int(mask, 16) == 0 and not int(flags, 16) & REJECT:
            return interface
    return None


def interface_of_6(routes):
    """Do so for /proc/net/ipv6_route, where the kernel lists a default route via lo that rejects packets."""
    for line in routes.splitlines():
        destination, prefix, _, _, _, _, _, _, flags, interface = line.split()
        if int(destination, 16) == 0 and int(prefix, 16) == 0 and not int(flags, 16) & REJECT:
            return interface
    return None
