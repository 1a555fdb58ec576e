# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Detection of registry mirrors that receive the Docker Hub credentials (moby issue 42022)."""

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.registry import engine_registries


class ExposedError(Exception):
    """The credentials would be sent in clear text; the message is for the user."""


def warning(daemon_config):
    """A warning about mirrors that receive the credentials, or None. Raises ExposedError for http mirrors."""
    mirrors = engine_registries.texts(engine_registries.read(daemon_config), "registry-mirrors")
    found = [url_secrets.redact(mirror) for mirror in mirrors]
    insecure = [mirror for mirror in found if mirror.lower().startswith("http://")]
    if insecure:
        raise ExposedError(
            "{} configures the registry mirror {}: the engine sends the Docker Hub user and token to a mirror that "
            "requests authentication, here in clear text. Use https for the mirror, or remove the login".format(
                daemon_config, " and ".join(insecure)
            )
        )
    if not found:
        return None
    return (
        "the engine sends the Docker Hub user and token to the registry mirror {} (in {}) if it requests "
        "authentication: use only mirrors that you trust with them".format(" and ".join(found), daemon_config)
    )
