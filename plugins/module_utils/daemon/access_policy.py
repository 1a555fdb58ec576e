# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Policy for access to the engine: mode of the socket, and addresses to listen on.

Access to the engine is equivalent to root. So the socket must be closed to others, and a network port must require
client certificates.
"""

import re

from ansible_collections.slipway.platform.plugins.module_utils.net.host_names import is_loopback

MODE = re.compile(r"\A0?([0-7])([0-7])([0-7])\Z")
PORT = re.compile(r":[0-9]*\Z")
READ_AND_WRITE = 6
# What YAML makes of an unquoted mode that begins with 0, for the modes that are accepted.
UNQUOTED = {str(mode): f"0{mode:o}" for mode in range(0o600, 0o1000, 8)}
LOCAL_SCHEMES = ("fd", "unix", "npipe")


class AccessError(ValueError):
    """Invalid or unsafe access settings; the message is for the user."""


def parse_mode(text):
    """Parse an octal mode such as 0660. Raises AccessError if it locks root out or lets others in."""
    match = MODE.match(text)
    if not match:
        raise AccessError(
            f"docker_access_socket_mode '{text}' is not an octal mode: use a quoted string such as '0660'{_hint(text)}"
        )
    owner, _, others = (int(digit) for digit in match.groups())
    if others:
        raise AccessError(
            f"docker_access_socket_mode '{text}' gives all users access equivalent to root: use '0660'{_hint(text)}"
        )
    if owner & READ_AND_WRITE != READ_AND_WRITE:
        raise AccessError(f"docker_access_socket_mode '{text}' locks root out: use '0660'{_hint(text)}")
    return int(text, 8)


def _hint(text):
    """Return what to do if the mode was not quoted: none of these numbers is an accepted mode itself."""
    return f"; YAML reads {UNQUOTED[text]} without quotes as {text}: quote it" if text in UNQUOTED else ""


def problems(options, confirmed=False):
    """List messages about hosts that expose the engine without client certificates."""
    hosts = options.get("hosts")
    exposed = [str(host) for host in hosts if is_exposed(str(host))] if isinstance(hosts, list) else []
    if confirmed or not exposed or requires_client_certificates(options):
        return []
    return [
        f"hosts {' and '.join(exposed)} gives root to everyone who reaches the port, because {weakness(options)}: use "
        "docker_access_tls instead, or an address such as tcp://127.0.0.1:2375; set "
        "docker_engine_open_api_confirmed: true to accept the risk"
    ]


def weakness(options):
    if options.get("tlsverify") is True:
        return "without tlscacert, client certificates of every CA in the system's trust store are accepted"
    if options.get("tls"):
        return "tls without tlsverify encrypts, but requires no client certificate"
    return "no client certificate is required"


def requires_client_certificates(options):
    """Whether only clients with a certificate of the configured CA are accepted."""
    return options.get("tlsverify") is True and bool(options.get("tlscacert"))


def is_remote(host):
    """Whether this address is of the network, and not of a socket; dockerd treats one without a scheme as tcp."""
    scheme, separator, _ = host.partition("://")
    return not (separator and scheme in LOCAL_SCHEMES)


def is_exposed(host):
    """Whether other machines can reach dockerd at this address."""
    if not is_remote(host):
        return False
    _, separator, address = host.partition("://")
    address = (address if separator else host).partition("/")[0]
    return not is_loopback(PORT.sub("", address))


def problems_while_baking(settings):
    """Return a sentence on a key that would stay in an image; settings are tls and keep_key of docker_access."""
    if settings["keep_key"] or not (settings["tls"] or {}).get("key"):
        return []
    return [
        "An image that holds a secret leaks it, so none is stored while baking: docker_access_tls has a key. Leave it "
        "to the first run on each instance, or name /etc/docker/tls/key.pem in machine_image_seal_allowed_credentials "
        "if all instances are to share it."
    ]
