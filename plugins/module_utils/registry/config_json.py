# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Edits to the credentials in a config.json of the Docker CLI; everything else in it is preserved."""

import base64
import copy
import json
import re
import unicodedata

from ansible_collections.slipway.platform.plugins.module_utils.registry.names import (
    HUB_BROWSER_KEYS,
    HUB_KEY,
    names_same_registry,
)

SECRETS = ("auth", "identitytoken", "registrytoken", "password")
# What the Docker CLI reads in any case: its own keys, and those of an entry of auths.
KEYS = ("auths", "credHelpers", "credsStore", "HttpHeaders")
ENTRY_KEYS = (*SECRETS, "username", "email", "serveraddress")
LONGEST_SHOWN = 60
DEEPEST = 100  # levels; what works on the content is recursive
REMEDY = "correct the file or move it away"


class DockerConfigError(ValueError):
    """The file is not a valid config.json; the message is for the user."""


def parse(text, path):
    """Parse the text of the file at path into a dict, empty for an absent or empty file.

    Raises DockerConfigError.
    """
    try:
        (text or "").encode("utf-8")
        config = strictly(text) if (text or "").strip() else {}
        require_depth(config)
        config = as_spelled(config)
    except UnicodeEncodeError as error:
        raise DockerConfigError(f"{path} is not UTF-8: {REMEDY}") from error
    except ValueError as error:
        raise DockerConfigError(f"{path} is not valid JSON ({error}): {REMEDY}") from error
    except RecursionError as error:
        raise DockerConfigError(f"{path} is nested too deeply: {REMEDY}") from error
    require_shape(config, path)
    return config


def unique(pairs):
    """A dict of the pairs; of two equal keys, one would vanish at the next write."""
    found = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name[:LONGEST_SHOWN]!r} is there twice")
        found[name] = value
    return found


def finite(text):
    """A float; one that is too large would be written as Infinity."""
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:LONGEST_SHOWN]} is too large")
    return number


def not_a_number(text):
    raise ValueError(f"{text} is not a number of JSON")


def strictly(text):
    return json.loads(text, object_pairs_hook=unique, parse_float=finite, parse_constant=not_a_number)


def as_spelled(config):
    """Return a copy with the keys that the Docker CLI reads in its own spelling. Raises ValueError for two of one."""
    config = spelled(config, KEYS)
    if isinstance(config, dict) and isinstance(config.get("auths"), dict):
        config["auths"] = {name: spelled(entry, ENTRY_KEYS) for name, entry in config["auths"].items()}
    return config


def spelled(value, names):
    if not isinstance(value, dict):
        return value
    canonical = {name.lower(): name for name in names}
    return unique((canonical.get(key.lower(), key), item) for key, item in value.items())


def require_depth(config):
    """Raise RecursionError for a configuration that is nested too deeply."""
    level = [config]
    for _ in range(DEEPEST):
        level = [item for value in level for item in children(value)]
    if level:
        raise RecursionError


def children(value):
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def require_shape(config, path):
    if not isinstance(config, dict):
        raise DockerConfigError(f"{path} is not a JSON object: {REMEDY}")
    for key in ("auths", "credHelpers"):
        if not isinstance(config.get(key), (dict, type(None))):
            raise DockerConfigError(f"{path}: {key} is not a JSON object: {REMEDY}")
    stores = [("credsStore", config.get("credsStore"))]
    stores += [(f"credHelpers of {key}", value) for key, value in (config.get("credHelpers") or {}).items()]
    for name, value in stores:
        if not isinstance(value, (str, type(None))):
            raise DockerConfigError(f"{path}: {name} is not a string: {REMEDY}")


def render(config):
    """Serialize the configuration in the format of the Docker CLI."""
    text = json.dumps(config, indent="\t", ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, which only an escape sequence can express
        return json.dumps(config, indent="\t")
    return text


def encode_auth(username, password):
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def secret_fault(text):
    """What keeps a user name or secret from being sent to a registry, or None.

    Line breaks are typing errors, except in a key that is a JSON document, as Google hands it out.
    """
    if any(unicodedata.category(character) == "Cs" for character in text):
        return "characters that are not UTF-8"
    if any(unicodedata.category(character) == "Cc" for character in text) and not is_document(text):
        return "a line break or another control character"
    return None


def is_document(text):
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def helper_of(config, key):
    """The name of the credential helper that the Docker CLI uses for the registry, or None."""
    helpers = config.get("credHelpers") or {}
    return (helpers[key] if key in helpers else config.get("credsStore")) or None


def entry_of(config, key):
    """The entry of auths that the Docker CLI uses for the registry; an empty dict without one."""
    auths = config.get("auths") or {}
    names = [name for name in auths if name == key or (key != HUB_KEY and names_same_registry(key, name))]
    entry = auths[min(names, key=lambda name: name != key)] if names else {}
    return entry if isinstance(entry, dict) else {}


def credentials_of(entry):
    """The user and password of an entry, as the Docker CLI reads them: auth, otherwise username and password.

    Both are empty without any. Raises ValueError.
    """
    auth = entry.get("auth")
    if not auth:
        return text_in(entry, "username"), text_in(entry, "password")
    decoded = base64.b64decode(re.sub(r"[\r\n]", "", text_in(entry, "auth")), validate=True).decode("utf-8")
    username, colon, password = decoded.partition(":")
    if not colon:
        raise ValueError("without a colon")
    return username, password.strip("\0")


def text_in(entry, name):
    """The string under a name, empty without one. Raises ValueError for anything else."""
    value = entry.get(name) or ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a string")
    return value


def holds_secret(entry):
    return not isinstance(entry, dict) or any(entry.get(name) for name in SECRETS)


def plain_text_registries(config):
    """The registries whose secrets the Docker CLI reads from the file unless credsStore is set."""
    helpers = config.get("credHelpers") or {}
    return [key for key, entry in (config.get("auths") or {}).items() if key not in helpers and holds_secret(entry)]


def with_auth(config, key, auth):
    """Return a copy that stores the secret in the file itself."""
    config = without_stale_aliases(config, key)
    if not config.get("auths"):
        config["auths"] = {}
    old = config["auths"].get(key)
    entry = {name: value for name, value in old.items() if name not in SECRETS} if isinstance(old, dict) else {}
    entry.pop("username", None)  # the Docker CLI reads the user from auth
    entry["auth"] = auth
    config["auths"][key] = entry
    return config


def without_auth(config, key):
    """Return a copy without a secret of the registry in the file, for use with a helper."""
    config = without_stale_aliases(config, key)
    auths = config.get("auths") or {}
    if key in auths and holds_secret(auths[key]):
        del auths[key]
    return config


def with_helper(config, key, helper):
    """Return a copy that uses the helper for this registry."""
    config = copy.deepcopy(config)
    helpers = config.get("credHelpers") or {}
    if key == HUB_KEY:
        helpers = {name: value for name, value in helpers.items() if not is_stale_alias(key, name)}
    helpers[key] = helper
    config["credHelpers"] = helpers
    return config


def with_store(config, helper):
    """Return a copy that uses the helper for all registries, or no default helper if it is None."""
    config = copy.deepcopy(config)
    if helper:
        config["credsStore"] = helper
    else:
        config.pop("credsStore", None)
    return config


def without_registry(config, key):
    """Return a copy without entries of the registry, in any spelling."""
    config = copy.deepcopy(config)
    auths = config.get("auths") or {}
    browser = HUB_BROWSER_KEYS if key == HUB_KEY else ()
    for name in [name for name in auths if names_same_registry(key, name) or name in browser]:
        del auths[name]
    return config


def without_helper(config, key):
    """Return a copy without a helper for this particular registry."""
    config = copy.deepcopy(config)
    helpers = config.get("credHelpers") or {}
    found = [name for name in helpers if names_same_registry(key, name)]
    for name in found:
        del helpers[name]
    if found and not helpers:
        del config["credHelpers"]
    return config


def without_stale_aliases(config, key):
    """Return a copy without alternative spellings of Docker Hub, which no pull uses."""
    config = copy.deepcopy(config)
    auths = config.get("auths") or {}
    for name in [name for name in auths if is_stale_alias(key, name)]:
        del auths[name]
    return config


def is_stale_alias(key, name):
    return key == HUB_KEY and name != key and names_same_registry(key, name)
