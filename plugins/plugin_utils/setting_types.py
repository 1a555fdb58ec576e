# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the types of settings, so that no other check meets a value that it cannot handle.

Ansible validates a converted copy of a role's variables and then uses the original ones.
"""

import math

from ansible_collections.slipway.platform.plugins.plugin_utils import quoting

NAMES = (
    (type(None), "empty", "set it, or remove it"),
    ((list, tuple), "a list", "use a text"),
    (dict, "a mapping", "use a text"),
)


def problems(settings, place, texts=(), numbers=(), lists=(), mappings=()):
    """Return one sentence, without a period, for each setting that is missing or of another type.

    place: format of a variable's name, for example "ami_fleet_{}". lists: of texts. mappings: of texts by text.
    """
    found = []
    for name in texts:
        found += text_problems(place.format(name), settings.get(name))
    for name in numbers:
        if number(settings.get(name)) is None:
            found.append(f"{place.format(name)} is not a whole number: set it to one")
    for name in lists:
        found += _list_problems(place.format(name), settings.get(name))
    for name in mappings:
        found += _mapping_problems(place.format(name), settings.get(name))
    return found


def text_problems(place, value):
    """Return why a value is not a text, in at most one sentence."""
    if isinstance(value, str):
        return [] if _is_unicode(value) else [f"{place} has half a surrogate pair: remove it"]
    if quoting.is_unquoted(value):
        return quoting.problems({place: value})
    what, remedy = next(
        ((what, remedy) for kind, what, remedy in NAMES if isinstance(value, kind)), ("a date", "quote it")
    )
    return [f"{place} is {what}: {remedy}"]


def number(value):
    """Return a whole number, also of a text as on the command line; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def is_finite(value):
    """Return whether a value is a number, also one in a text, and not infinite."""
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _list_problems(place, value):
    if not isinstance(value, (list, tuple)):
        return [f"{place} is not a list: write one, such as [] for none"]
    return [
        sentence for entry, item in enumerate(value, 1) for sentence in text_problems(f"entry {entry} of {place}", item)
    ]


def _mapping_problems(place, value):
    if not isinstance(value, dict):
        return [f"{place} is not a mapping: write one, such as {{}} for none"]
    found = []
    for key, item in value.items():
        if not isinstance(key, str) or not _is_unicode(key):
            found += text_problems(f"the key {_short(key)} of {place}", key)
        else:
            found += text_problems(f"{place} {_short(key)}", item)
    return found


def _is_unicode(text):
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _short(value):
    text = ascii(value) if not isinstance(value, str) or not value.isprintable() else value
    return text if len(text) <= 60 else text[:60] + "..."
