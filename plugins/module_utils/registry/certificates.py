# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The CAs and client certificates of a registry in /etc/docker/certs.d, read as the engine reads them."""

import os
import ssl

from ansible_collections.slipway.platform.plugins.module_utils.net import tls
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY

DIRECTORY = "/etc/docker/certs.d"


class CertificateFileError(Exception):
    """A file of the folder is unusable; the message is for the user."""


def folder_of(key, directory=DIRECTORY):
    """Return the registry's folder, or None for Docker Hub, for which the engine reads none."""
    return None if key == HUB_KEY else os.path.join(directory, key)


def context_of(folder):
    """Return a TLS context and the CA files that hold no certificate, which the engine ignores.

    Raises CertificateFileError.
    """
    context, ignored = tls.client_context(), []  # type: ssl.SSLContext, list[str]
    for name in names_in(folder):
        path, (stem, kind) = os.path.join(folder, name), os.path.splitext(name)
        try:
            if kind == ".crt":
                load_ca(context, path, ignored)
            elif kind in (".cert", ".key"):
                require_pair(folder, stem)
            if kind == ".cert":
                # Without a password, OpenSSL would ask for one on the terminal.
                context.load_cert_chain(path, os.path.join(folder, stem + ".key"), password=str)
        except ssl.SSLError as error:
            raise CertificateFileError(
                f"{folder}/{stem}.cert and .key are not a certificate and its unencrypted key ({error.reason}): "
                "correct or remove them"
            ) from error
        except (OSError, ValueError) as error:
            raise CertificateFileError(f"{path} cannot be read ({reason_of(error)}): correct or remove it") from error
    return context, ignored


def names_in(folder):
    try:
        return sorted(os.listdir(folder)) if folder else []
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CertificateFileError(f"{folder} cannot be read ({error.strerror}): run the task as root") from error


def load_ca(context, path, ignored):
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        ignored.append(path)


def require_pair(folder, stem):
    for name in (stem + ".cert", stem + ".key"):
        if not os.path.exists(os.path.join(folder, name)):
            raise CertificateFileError(f"{folder} has one half of a client certificate: add {name} or remove the other")


def reason_of(error):
    return getattr(error, "strerror", None) or error
