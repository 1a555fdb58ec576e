# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Waits until the instance can reach what it is going to need."""

import socket

from slipway_firstboot import waiting
from slipway_firstboot.errors import StepError

ROUTES = "/proc/net/route"
ROUTES_6 = "/proc/net/ipv6_route"
REJECT = 0x200  # RTF_REJECT, of linux/route.h: a route that leads nowhere
CONNECT_SECONDS = 5


def wait(addresses, seconds):
    """Wait for each address, host:port, to accept a connection; without any, for a default route."""
    if not addresses:
        return waiting.until(default_route, seconds)
    for address in addresses:
        waiting.until(lambda address=address: connect(address), seconds)
    return ", ".join(addresses) + (" answers" if len(addresses) == 1 else " answer")


def connect(address):
    host, _, port = str(address).rpartition(":")
    if not host or not port.isdigit():
        raise StepError(f"{address} in docker_firstboot_wait_for is no address: write host:port")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise waiting.NotYetError(
            f"{address} does not answer ({error.strerror or error}): see the instance's network, its security groups "
            "and its name server"
        ) from error


def default_route():
    interface = interface_of(text_of(ROUTES)) or interface_of_6(text_of(ROUTES_6))
    if not interface:
        raise waiting.NotYetError(
            "there is no default route: see the instance's network; where none is meant to be, name what it has to "
            "reach in docker_firstboot_wait_for"
        )
    return "default route by " + interface


def text_of(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:  # IPv6 may be switched off
        return ""


def interface_of(routes):
    """The interface of a default route in the text of /proc/net/route, or None."""
    for line in routes.splitlines()[1:]:
        interface, destination, _, flags, _, _, _, mask = line.split()[:8]
        if int(destination, 16) == 0 and int(mask, 16) == 0 and not int(flags, 16) & REJECT:
            return interface
    return None


def interface_of_6(routes):
    """The same in the text of /proc/net/ipv6_route, where the kernel has one of its own, by lo, that rejects."""
    for line in routes.splitlines():
        destination, prefix, _, _, _, _, _, _, flags, interface = line.split()
        if int(destination, 16) == 0 and int(prefix, 16) == 0 and not int(flags, 16) & REJECT:
            return interface
    return None
