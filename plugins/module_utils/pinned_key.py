# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Gets a key file from a path or a URL, and returns it only if every key in it is pinned."""

from ansible_collections.slipway.platform.plugins.module_utils import openpgp, web_fetch

TIMEOUT_SECONDS = 10


class PinnedKeyError(Exception):
    """There is no such key, or it is not the one; the text is a sentence without a full stop."""


def read(source, pins, proxy):
    """The key file's bytes; a source that starts with a slash is a path on the host."""
    try:
        key = read_file(source) if source.startswith("/") else web_fetch.fetch(source, proxy, TIMEOUT_SECONDS)
        untrusted = openpgp.untrusted(key, pins)
    except web_fetch.FetchError as error:
        raise PinnedKeyError(
            f"the key {source} cannot be fetched ({error}): check its address and the proxy"
        ) from error
    except OSError as error:
        raise PinnedKeyError(f"the key {source} cannot be read ({error.strerror}): copy it to the host") from error
    except openpgp.OpenPgpError as error:
        raise PinnedKeyError(f"the key {source} cannot be trusted: {error}") from error
    if untrusted:
        raise PinnedKeyError(
            "the key {} has the fingerprint {}, pinned is {}: ask the repository's owner which is right before you "
            "change the pin".format(source, " and ".join(untrusted), " and ".join(pins))
        )
    return key


def read_file(path):
    with open(path, "rb") as stream:
        return stream.read()
