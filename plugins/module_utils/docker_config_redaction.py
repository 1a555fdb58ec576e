# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Shows what changes in a config.json without what is secret in it."""

import base64
import binascii
import json
from urllib.parse import quote, quote_plus

from ansible_collections.slipway.platform.plugins.module_utils import docker_config_json, url_secrets

HIDDEN = "********"
HIDDEN_NEW = "******** (new)"
HIDDEN_PARTS = ("auths", "HttpHeaders")
OPEN_FIELDS = ("username", "email")
# Shorter ones would make the output unreadable and can be told from the redacted rest anyway.
SHORTEST_PASSWORD_HIDDEN_ANYWHERE = 4


def forms_of(username, password):
    """Every form in which a password could show up in output."""
    if not password:
        return set()
    auth = docker_config_json.encode_auth(username or "", password)
    alone = base64.b64encode(password.encode()).decode("ascii")
    quoted = {quote(text, safe=safe) for text in (password, auth, alone) for safe in ("", "/")}
    return quoted | {password, auth, alone, quote_plus(password), json.dumps(password)[1:-1]}


def stored_secrets(config):
    """The passwords that the configuration itself holds, in every form."""
    entries = [entry for entry in (config.get("auths") or {}).values() if isinstance(entry, dict)]
    return {secret for entry in entries for secret in secrets_of_entry(entry)}


def secrets_of_entry(entry):
    values = {value for value in (entry.get(name) for name in docker_config_json.SECRETS) if is_text(value)}
    return values | forms_of(*decode(entry.get("auth")))


def is_text(value):
    return isinstance(value, str) and value


def decode(auth):
    """User and password of an auth value; both empty when it is none."""
    try:
        user, _, password = base64.b64decode(auth or "", validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError, TypeError):
        return "", ""
    return user, password.rstrip("\0")


def hide(text, secrets):
    """The text with every secret replaced, the longest first because one may hold another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_PASSWORD_HIDDEN_ANYWHERE:
            text = text.replace(secret, HIDDEN)
    return url_secrets.redact(text)


def difference(path, before, after, secrets, notes=("", "")):
    """What Ansible shows for --diff; notes are lines to put before either text."""
    secrets = set(secrets) | stored_secrets(before) | stored_secrets(after)
    return {
        "before_header": path,
        "after_header": path,
        "before": notes[0] + show(redact(before, None, secrets)),
        "after": notes[1] + show(redact(after, before, secrets)),
    }


def show(config):
    return docker_config_json.render(config) + "\n" if config else ""


def redact(config, previous, secrets):
    """The configuration without secrets; those that differ from the previous ones are marked."""
    shown = {}
    for key, value in config.items():
        if key in HIDDEN_PARTS:
            shown[hide(key, secrets)] = hide_leaves(value, (previous or {}).get(key), secrets)
        else:
            shown[hide(key, secrets)] = hide_strings(value, secrets)
    return shown


def hide_strings(value, secrets):
    """The value with every key and string hidden that holds a secret."""
    if isinstance(value, dict):
        return {hide(key, secrets): hide_strings(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [hide_strings(item, secrets) for item in value]
    text = value if isinstance(value, str) else json.dumps(value)
    hidden = hide(text, secrets)
    return hidden if isinstance(value, str) or hidden != text else value


def hide_leaves(value, previous, secrets, name=""):
    """The value with all that is neither a key nor a user's name hidden."""
    if isinstance(value, dict):
        old = previous if isinstance(previous, dict) else {}
        return {hide(key, secrets): hide_leaves(item, old.get(key), secrets, key) for key, item in value.items()}
    if value in (None, "", []):
        return value
    if name in OPEN_FIELDS:
        return hide_strings(value, secrets)
    return HIDDEN if previous is None or previous == value else HIDDEN_NEW
