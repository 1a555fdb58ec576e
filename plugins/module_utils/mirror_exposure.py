# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells which registry mirrors of the engine are handed the credentials of Docker Hub (moby issue 42022)."""

import json

from ansible_collections.slipway.platform.plugins.module_utils import file_io, url_secrets


class MirrorError(Exception):
    """The credentials would travel in clear; the text is the sentence for the user."""


def mirrors(daemon_config):
    """The mirrors that daemon.json names; a file that dockerd could not read either names none."""
    try:
        options = json.loads(file_io.read_text(daemon_config) or "{}")
    except (OSError, ValueError):
        return []
    found = options.get("registry-mirrors") if isinstance(options, dict) else None
    return [mirror for mirror in found if isinstance(mirror, str)] if isinstance(found, list) else []


def warning(daemon_config):
    """The sentence about the mirrors that see the credentials, or None; one in clear is refused."""
    found = [url_secrets.redact(mirror) for mirror in mirrors(daemon_config)]
    clear = [mirror for mirror in found if mirror.lower().startswith("http://")]
    if clear:
        raise MirrorError(
            "{} names the registry mirror {}: a mirror that asks for a password is sent the Docker Hub user and token, "
            "here in clear. Use https for the mirror, or no Docker Hub login on this host".format(
                daemon_config, " and ".join(clear)
            )
        )
    if not found:
        return None
    return (
        "the registry mirror {} in {} is sent the Docker Hub user and token when it asks for a password: "
        "use only mirrors that you trust with them".format(" and ".join(found), daemon_config)
    )
