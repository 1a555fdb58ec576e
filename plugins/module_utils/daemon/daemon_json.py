# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The text of a daemon.json and its options; what they mean is elsewhere, since most modules do without it."""

import codecs
import json

PATH = "/etc/docker/daemon.json"


def normalise(options):
    """Return the options without null values, and with log-opts as strings, which dockerd requires."""
    kept = {key: value for key, value in options.items() if value is not None}
    if isinstance(kept.get("log-opts"), dict):
        kept["log-opts"] = {key: as_string(value) for key, value in kept["log-opts"].items() if value is not None}
    return kept


def as_string(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse(text):
    """Return the options in the text of a daemon.json, as a dict; empty if it is absent or invalid."""
    return load(text or "{}") or {}


def load(text):
    """Return the options as dockerd reads them, which decodes by a byte order mark; None if they are invalid."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = raw.decode("utf-16")
        options = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return options if isinstance(options, dict) else None


def render(options):
    return json.dumps(options, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
