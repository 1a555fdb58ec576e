# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Read a key file from a path or a URL, and return it in canonical form if every key in it is pinned."""

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.packages import download, openpgp

TIMEOUT_SECONDS = 10


class KeyFileError(Exception):
    """The key cannot be read or trusted; str() is the message for the user."""


def read(source, pins, proxy, variables):
    """Return the pinned keys in canonical form, never the received bytes; raise KeyFileError.

    A source that starts with a slash is a path on the host. Remedies in messages refer to variables.
    """
    try:
        key = read_file(source) if source.startswith("/") else fetch(source, proxy, variables)
        source = url_secrets.redact(source)
        untrusted = openpgp.untrusted(key, pins)
    except download.FetchError as error:
        raise KeyFileError(
            f"the key at {url_secrets.redact(source)} cannot be fetched ({error}): {error.remedy}"
        ) from error
    except OSError as error:
        raise KeyFileError(f"the key {source} cannot be read ({error.strerror}): copy it to the host") from error
    except openpgp.OpenPgpError as error:
        raise KeyFileError(f"the key at {source} cannot be trusted: {error}") from error
    if untrusted:
        raise KeyFileError(
            "the key at {} has the fingerprint {}, but {} is pinned: ask the repository's owner which one is right "
            "before you change {}".format(source, " and ".join(untrusted), " and ".join(pins), variables.fingerprint)
        )
    return openpgp.canonical(key, pins)


def fetch(url, proxy, variables):
    """Download the key; most servers without one are mirrors, so the remedy includes the setting for the key."""
    try:
        return download.fetch(url, proxy, TIMEOUT_SECONDS, variables)
    except download.FetchError as error:
        if error.remedy == download.check(variables):
            error.remedy += f", or set {variables.key} to the location of the key"
        raise


def read_file(path):
    with open(path, "rb") as stream:
        return stream.read()
