# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Gets a key file from a path or a URL, and returns it only if every key in it is pinned."""

from ansible_collections.slipway.platform.plugins.module_utils import openpgp, proxy_fault, web_fetch
from ansible_collections.slipway.platform.plugins.module_utils.mirror_error import MirrorError

TIMEOUT_SECONDS = 10


def read(source, pins, proxy):
    """The key file's bytes; a source that starts with a slash is a path on the host."""
    try:
        key = read_file(source) if source.startswith("/") else web_fetch.fetch(source, proxy, TIMEOUT_SECONDS)
        untrusted = openpgp.untrusted(key, pins)
    except web_fetch.FetchError as error:
        raise MirrorError(f"the key {source} cannot be fetched ({error}): {remedy(source, proxy, error)}") from error
    except OSError as error:
        raise MirrorError(f"the key {source} cannot be read ({error.strerror}): copy it to the mirror") from error
    except openpgp.OpenPgpError as error:
        raise MirrorError(f"the key {source} cannot be trusted: {error}") from error
    if untrusted:
        raise MirrorError(
            "the key {} has the fingerprint {}, pinned is {}: ask the repository's owner which is right before you "
            "change docker_mirror_gpg_fingerprint".format(source, " and ".join(untrusted), " and ".join(pins))
        )
    return key


def read_file(path):
    with open(path, "rb") as stream:
        return stream.read()


def remedy(source, proxy, error):
    fault = proxy_fault.find(proxy, source, error.__cause__, "docker_mirror_proxy") if proxy else None
    return fault.remedy if fault else "check docker_mirror_source_root and docker_mirror_proxy"
