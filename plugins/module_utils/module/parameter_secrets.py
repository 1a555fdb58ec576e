# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find and redact secrets in a module's parameters and in free-form settings, before these become text.

Text has its line breaks, quotation marks and backslashes escaped, so secrets that contain any would be missed.
"""

import json
import re

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.net.url_secrets import HIDDEN

# Also options of log drivers (splunk-token) and of cloud-config: passwd, hashed_passwd, chpasswd, ssh_keys.
NAMES = re.compile(
    r"(?i)passw|secret|token|credential(?!s-endpoint\Z)|(?:private|access|api|license|logzio)[_-]?key|\Assh_keys\Z"
)
# Addresses in which an @ follows a secret, even where the grammar of URLs finds none; a mirror may have one in a path.
PROXY = re.compile(r"(?i)https?[_-]proxy\Z")
REGISTRIES = ("registry-mirrors", "insecure-registries")
SWITCHES = ("lock_passwd", "lock-passwd")
# Shorter secrets are redacted in place only: replacing them anywhere would make output unreadable.
SHORTEST_HIDDEN_ANYWHERE = 4


def is_secret(name, value):
    """Return whether an option with this name and value is a secret; an empty or boolean value is not."""
    return (
        isinstance(name, str)
        and bool(NAMES.search(name) or has_odd_userinfo(name, value))
        and name not in SWITCHES
        and not name.startswith("/")  # the path of a file
        and not isinstance(value, bool)
        and bool(value)
    )


def has_odd_userinfo(name, value):
    """Return whether an invalid address, such as TOKEN@proxy, has userinfo that url_secrets cannot tell from text."""
    addresses = [text for text in leaves(value) if "@" in text and not url_secrets.holds_userinfo(text)]
    if name in REGISTRIES:
        addresses = [text for text in addresses if not url_secrets.SCHEME.match(text)]
    return bool(addresses) and (name in REGISTRIES or bool(PROXY.search(name)))


def holds_secret(settings):
    """Return whether free-form settings contain a secret, by name or in a URL."""
    return hidden(settings) != settings


def secrets_of(value, options=None):
    """Return every form in which the secrets could appear in output; options are those of an argument_spec."""
    found = url_secrets.secrets_of(value)
    found.update(secret for secret in secret_leaves(value, options) if len(secret) >= SHORTEST_HIDDEN_ANYWHERE)
    return {form for secret in found for form in escaped(secret)}


def escaped(secret):
    """Return the secret, and the secret as Python and JSON escape it."""
    return {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def secret_leaves(value, options):
    if isinstance(value, dict):
        for name, item in value.items():
            secret, suboptions = judge(name, item, options)
            yield from leaves(item) if secret else secret_leaves(item, suboptions)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secret_leaves(item, options)


def leaves(value):
    """Yield all scalars within a value, as strings."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def hidden(value, options=None):
    """Return a redacted copy of the value; options are those of an argument_spec, None for free-form settings."""
    if isinstance(value, dict):
        shown = {}
        for name, item in value.items():
            secret, suboptions = judge(name, item, options)
            shown[name] = HIDDEN if secret else hidden(item, suboptions)
        return shown
    if isinstance(value, (list, tuple)):
        return [hidden(item, options) for item in value]
    return url_secrets.redact_value(value) if isinstance(value, str) else value


def judge(name, value, options):
    """Return whether the value is secret as a whole, and the options of its suboptions."""
    if options is None:
        return is_secret(name, value), None
    option = option_of(name, options)
    if option is None:  # a misspelled name may be that of a secret
        return value is not None, None
    suboptions = option.get("options")
    if option.get("no_log"):
        return value not in (None, ""), None
    return bool(suboptions) and not may_have_suboptions(value) and has_secret(suboptions), suboptions


def option_of(name, options):
    """Return the option with this name or alias, or None."""
    named = (option for key, option in options.items() if name == key or name in option.get("aliases", ()))
    return next(named, None)


def may_have_suboptions(value):
    """Return whether this is a dict or a list of dicts; anything else is invalid, and any part may be the secret."""
    items = value if isinstance(value, list) else [value]
    return all(item is None or isinstance(item, dict) for item in items)


def has_secret(options):
    return any(option.get("no_log") or has_secret(option.get("options") or {}) for option in options.values())
