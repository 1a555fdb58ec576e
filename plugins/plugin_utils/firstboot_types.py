# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the types of docker_firstboot's texts, before a condition, a filter or another check reads one of them."""

from ansible_collections.slipway.platform.plugins.plugin_utils import setting_types

# Texts of an entry of docker_firstboot_credentials.
CREDENTIALS = ("registry", "secret", "provider", "region", "endpoint")


def problems(settings):
    """Return one sentence for each text that is something else in YAML.

    settings: credentials, and the role's variables that are texts, by their names without the role's.
    """
    found = setting_types.problems(
        settings, "docker_firstboot_{}", texts=[name for name in settings if name != "credentials"]
    )
    for number, entry in enumerate(settings["credentials"], 1):
        for name in CREDENTIALS:
            if entry.get(name) is not None:
                found += setting_types.text_problems(
                    f"{name} in entry {number} of docker_firstboot_credentials", entry[name]
                )
    return [f"{sentence}." for sentence in found]
