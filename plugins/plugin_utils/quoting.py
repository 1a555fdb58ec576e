# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find settings that are meant as texts, but are numbers or booleans in YAML, which changes their spelling."""

from ansible_collections.slipway.platform.plugins.module_utils.module.texts import UNQUOTED


def problems(settings, place="{}"):
    """Return one sentence for each value that is not a text.

    settings: values by name. place: format of a setting's name in the sentences, for example "ami_fleet_{}".
    """
    return [
        f"{place.format(name)} is {spelling(value)} {UNQUOTED}"
        for name, value in settings.items()
        if is_unquoted(value)
    ]


def is_unquoted(value):
    return isinstance(value, (bool, int, float))


def spelling(value):
    return f"the boolean {str(value).lower()}" if isinstance(value, bool) else f"the number {value}"
