# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Gets a key file from a path or a URL, and returns it only if every key in it is pinned."""

from ansible_collections.slipway.platform.plugins.module_utils import openpgp, web_fetch

TIMEOUT_SECONDS = 10


class KeyFileError(Exception):
    """The key is not to be had, or not to be trusted; the text is the sentence for the user."""


def read(source, pins, proxy, variables):
    """The key file's bytes; a source that starts with a slash is a path on the host. variables name the remedies."""
    try:
        key = read_file(source) if source.startswith("/") else fetch(source, proxy, variables)
        untrusted = openpgp.untrusted(key, pins)
    except web_fetch.FetchError as error:
        raise KeyFileError(f"the key at {source} cannot be fetched ({error}): {error.remedy}") from error
    except OSError as error:
        raise KeyFileError(f"the key {source} cannot be read ({error.strerror}): copy it to the host") from error
    except openpgp.OpenPgpError as error:
        raise KeyFileError(f"the key at {source} cannot be trusted: {error}") from error
    if untrusted:
        raise KeyFileError(
            "the key at {} has the fingerprint {}, pinned is {}: not trusted, ask the repository's owner which is "
            "right before you change {}".format(
                source, " and ".join(untrusted), " and ".join(pins), variables.fingerprint
            )
        )
    return key


def fetch(url, proxy, variables):
    """A server that has no key there is a mirror without one, more often than not."""
    try:
        return web_fetch.fetch(url, proxy, TIMEOUT_SECONDS, variables)
    except web_fetch.FetchError as error:
        if error.remedy == web_fetch.check(variables):
            error.remedy += f", or say where the key is in {variables.key}"
        raise


def read_file(path):
    with open(path, "rb") as stream:
        return stream.read()
