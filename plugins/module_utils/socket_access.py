# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decides who may open the engine's socket: its mode, the drop-in of docker.socket, the drop-in of the TLS listener."""

import os
import re
import ssl
import tempfile

HEADER = "# managed by slipway.platform.docker_access\n"
MODE = re.compile(r"\A0?([0-7])([0-7])([0-7])\Z")
READ_AND_WRITE = 6
ADDRESS = re.compile(r"\A(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}\Z")


class AccessError(ValueError):
    """Access cannot be given so; the text is the sentence for the user."""


def parse_mode(text):
    """The mode as a number; refuses one that nobody, or everybody, could open the socket with."""
    match = MODE.match(text)
    if not match:
        raise AccessError(f"docker_access_socket_mode '{text}' is not a mode: write it as a string like '0660'")
    owner, _, others = (int(digit) for digit in match.groups())
    if others:
        raise AccessError(
            f"docker_access_socket_mode '{text}' lets others open the socket, and whoever can is root: use '0660'"
        )
    if owner & READ_AND_WRITE != READ_AND_WRITE:
        raise AccessError(f"docker_access_socket_mode '{text}' shuts root out: use '0660'")
    return int(text, 8)


def render_socket_drop_in(group, mode):
    return f"{HEADER}[Socket]\nSocketUser=root\nSocketGroup={group}\nSocketMode={mode:04o}\n"


def parse_socket_unit(texts):
    """The socket's group and mode in the texts of a unit and its drop-ins; the last assignment holds, as in systemd."""
    assignments = (line.partition("=") for text in texts for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in assignments if key.strip() in ("SocketGroup", "SocketMode")}


def unit_agrees(properties, group, mode):
    """Whether docker.socket, as systemd has loaded it, gives the socket this group and mode."""
    return properties.get("SocketGroup") == group and int(properties.get("SocketMode") or "0", 8) == mode


def render_tls_drop_in(command, listen, paths):
    """The drop-in that adds the TLS listener to the vendor's command; paths are those of ca, cert and key."""
    if not ADDRESS.match(listen):
        raise AccessError(f"docker_access_tls.listen '{listen}' is not an address: write it like 0.0.0.0:2376")
    flags = [
        "--host=tcp://" + listen,
        "--tlsverify",
        "--tlscacert=" + paths["ca"],
        "--tlscert=" + paths["cert"],
        "--tlskey=" + paths["key"],
    ]
    return HEADER + "[Service]\nExecStart=\nExecStart=" + " ".join([command, *flags]) + "\n"


def prove_certificates(tls):
    """Refuse a key that is not the certificate's, and a CA that is none."""
    with tempfile.TemporaryDirectory() as directory:  # mode 0700
        paths = {name: os.path.join(directory, name) for name in ("ca", "cert", "key")}
        for name, path in paths.items():
            with open(path, "w") as stream:
                stream.write(tls[name])
        pair = paths["cert"], paths["key"]
        prove("cert and key", lambda context: context.load_cert_chain(*pair, password=no_password))
        prove("ca", lambda context: context.load_verify_locations(paths["ca"]))


def prove(what, load):
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    except (ssl.SSLError, ValueError) as error:
        raise AccessError(
            f"docker_access_tls: {what} cannot be used ({error}): give PEM text, the key without a passphrase and "
            "belonging to the certificate"
        ) from error


def no_password():
    """Asked for the passphrase of an encrypted key; without this, OpenSSL would ask the terminal."""
    raise ValueError("the key is encrypted")
