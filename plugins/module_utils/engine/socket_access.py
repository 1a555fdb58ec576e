# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Access to the engine: drop-ins for docker.socket and the TLS listener, the socket's ACL, TLS certificates."""

import errno
import os
import re
import ssl
import tempfile

from ansible_collections.slipway.platform.plugins.module_utils.daemon.access_policy import AccessError

HEADER = "# managed by slipway.platform.docker_access\n"
ACL = "system.posix_acl_access"
ADDRESS = re.compile(r"\A(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}\Z")


def has_acl(path):
    """Whether the file has an access control list, beyond owner, group and mode."""
    try:
        return bool(os.getxattr(path, ACL))
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP):
            return False
        raise


def remove_acl(path):
    if has_acl(path):
        os.removexattr(path, ACL)


def render_socket_drop_in(group, mode):
    return f"{HEADER}[Socket]\nSocketUser=root\nSocketGroup={group}\nSocketMode={mode:04o}\n"


def parse_socket_unit(texts):
    """Return SocketGroup and SocketMode in the texts of a unit and its drop-ins; the last assignment takes effect."""
    assignments = (line.partition("=") for text in texts for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in assignments if key.strip() in ("SocketGroup", "SocketMode")}


def unit_agrees(properties, group, mode):
    """Whether docker.socket's properties in systemd have this group and mode."""
    return properties.get("SocketGroup") == group and int(properties.get("SocketMode") or "0", 8) == mode


def render_tls_drop_in(command, listen, paths):
    """Return the text of the drop-in that adds a TLS listener to the command. Raises AccessError.

    paths is a dict of the paths of ca, cert and key.
    """
    if not ADDRESS.match(listen):
        raise AccessError(f"docker_access_tls.listen '{listen}' is not an address: use one such as 0.0.0.0:2376")
    flags = [
        "--host=tcp://" + listen,
        "--tlsverify",
        "--tlscacert=" + paths["ca"],
        "--tlscert=" + paths["cert"],
        "--tlskey=" + paths["key"],
    ]
    return HEADER + "[Service]\nExecStart=\nExecStart=" + " ".join([command, *flags]) + "\n"


def validate_certificates(tls):
    """Raise AccessError if the key does not match the certificate, or a file is invalid."""
    with tempfile.TemporaryDirectory() as directory:  # mode 0700
        paths = {name: os.path.join(directory, name) for name in ("ca", "cert", "key")}
        for name, path in paths.items():
            with open(path, "w") as stream:
                stream.write(tls[name])
        pair = paths["cert"], paths["key"]
        validate("cert and key", lambda context: context.load_cert_chain(*pair, password=reject_passphrase))
        validate("ca", lambda context: context.load_verify_locations(paths["ca"]))


def validate(what, load):
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    except (ssl.SSLError, ValueError) as error:
        raise AccessError(
            f"docker_access_tls: {what} cannot be used ({error}): use PEM text, and a key that has no passphrase "
            "and matches the certificate"
        ) from error


def reject_passphrase():
    """Passphrase callback for encrypted keys; without it, OpenSSL would prompt on the terminal."""
    raise ValueError("the key is encrypted")
