# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Diffs of config.json without its secrets."""

import base64
import json
from urllib.parse import quote, quote_plus

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.registry import config_json

HIDDEN = "********"
HIDDEN_NEW = "******** (new)"
HIDDEN_PARTS = ("auths", "HttpHeaders")
OPEN_FIELDS = ("username", "email")
# Replacing shorter ones would make the output unreadable, and the redaction would give them away.
SHORTEST_REDACTED_SECRET = 4


def forms_of(username, password):
    """Return every encoding in which a password may appear in output."""
    if not password:
        return set()
    username, shown = (text.encode("utf-8", "replace").decode("utf-8") for text in (username or "", password))
    if shown != password:  # no registry can have accepted it
        return {password, json.dumps(password)[1:-1]}
    auth = config_json.encode_auth(username, password)
    alone = base64.b64encode(password.encode()).decode("ascii")
    quoted = {quote(text, safe=safe) for text in (password, auth, alone) for safe in ("", "/")}
    return quoted | {password, auth, alone, quote_plus(password), json.dumps(password)[1:-1]}


def stored_secrets(config):
    """The secrets that the configuration holds, in every encoding."""
    entries = [entry for entry in (config.get("auths") or {}).values() if isinstance(entry, dict)]
    return {secret for entry in entries for secret in secrets_of_entry(entry)}


def secrets_of_entry(entry):
    values = {value for value in (entry.get(name) for name in config_json.SECRETS) if is_text(value)}
    for value in [*values]:
        values |= forms_of(entry["username"] if is_text(entry.get("username")) else "", value)
    return values | forms_of(*decode(entry))


def is_text(value):
    return isinstance(value, str) and value


def decode(entry):
    """The user and password of an entry; empty strings if it is invalid."""
    try:
        return config_json.credentials_of(entry)
    except ValueError:
        return "", ""


def hide(text, secrets):
    """Redact the secrets in the text, the longest first, because one may contain another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_REDACTED_SECRET:
            text = text.replace(secret, HIDDEN)
    return url_secrets.redact(text)


def difference(path, before, after, secrets, notes=("", "")):
    """A diff entry for Ansible; notes are lines to prepend to its two texts."""
    secrets = set(secrets) | stored_secrets(before) | stored_secrets(after)
    return {
        "before_header": path,
        "after_header": path,
        "before": notes[0] + show(redact(before, None, secrets)),
        "after": notes[1] + show(redact(after, before, secrets)),
    }


def show(config):
    return config_json.render(config) + "\n" if config else ""


def redact(config, previous, secrets):
    """Return the configuration with its secrets redacted; those that differ from the previous ones are marked."""
    shown = {}
    for key, value in config.items():
        if key in HIDDEN_PARTS:
            shown[hide(key, secrets)] = hide_leaves(value, (previous or {}).get(key), secrets)
        else:
            shown[hide(key, secrets)] = hide_strings(value, secrets)
    return shown


def hide_strings(value, secrets):
    """Redact secrets in all keys and strings of the value."""
    if isinstance(value, dict):
        return {hide(key, secrets): hide_strings(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [hide_strings(item, secrets) for item in value]
    text = value if isinstance(value, str) else json.dumps(value)
    hidden = hide(text, secrets)
    return hidden if isinstance(value, str) or hidden != text else value


def hide_leaves(value, previous, secrets, name=""):
    """Redact everything in the value except keys and OPEN_FIELDS."""
    if isinstance(value, dict):
        old = previous if isinstance(previous, dict) else {}
        return {hide(key, secrets): hide_leaves(item, old.get(key), secrets, key) for key, item in value.items()}
    if value in (None, "", []):
        return value
    if name in OPEN_FIELDS:
        return hide_strings(value, secrets)
    return HIDDEN if previous is None or previous == value else HIDDEN_NEW
