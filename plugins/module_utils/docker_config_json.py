# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Changes the credentials in the text of a config.json of the docker command line, and nothing else in it."""

import base64
import copy
import json

from ansible_collections.slipway.platform.plugins.module_utils.registry_names import (
    HUB_BROWSER_KEYS,
    HUB_KEY,
    names_same_registry,
)

SECRETS = ("auth", "identitytoken", "registrytoken", "password")


class DockerConfigError(ValueError):
    """The file is not what docker could read; the text is the sentence for the user."""


def parse(text, path):
    """The configuration in the file's text; no file and an empty one hold an empty configuration."""
    try:
        (text or "").encode("utf-8")
        config = json.loads(text) if (text or "").strip() else {}
    except UnicodeEncodeError as error:
        raise DockerConfigError(f"{path} is not UTF-8: {REMEDY}") from error
    except ValueError as error:
        raise DockerConfigError(f"{path} is not valid JSON ({error}): {REMEDY}") from error
    except RecursionError as error:
        raise DockerConfigError(f"{path} is nested too deeply: {REMEDY}") from error
    require_shape(config, path)
    return config


REMEDY = "correct it or move it away, it is left as it is"


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
    """The text as docker itself writes it."""
    text = json.dumps(config, indent="\t", ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can express
        return json.dumps(config, indent="\t")
    return text


def encode_auth(username, password):
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def helper_of(config, key):
    """The helper that docker asks for this registry, or None."""
    helpers = config.get("credHelpers") or {}
    return (helpers[key] if key in helpers else config.get("credsStore")) or None


def holds_secret(entry):
    return not isinstance(entry, dict) or any(entry.get(name) for name in SECRETS)


def plain_text_registries(config):
    """The registries whose secrets docker reads from the file as long as there is no credsStore."""
    helpers = config.get("credHelpers") or {}
    return [key for key, entry in (config.get("auths") or {}).items() if key not in helpers and holds_secret(entry)]


def with_auth(config, key, auth):
    """The configuration with the secret in the file itself."""
    config = without_stale_aliases(config, key)
    if not config.get("auths"):
        config["auths"] = {}
    old = config["auths"].get(key)
    entry = {name: value for name, value in old.items() if name not in SECRETS} if isinstance(old, dict) else {}
    entry.pop("username", None)  # docker reads the user from auth
    entry["auth"] = auth
    config["auths"][key] = entry
    return config


def without_auth(config, key):
    """The configuration without a secret of the registry in the file; the helper has it."""
    config = without_stale_aliases(config, key)
    auths = config.get("auths") or {}
    if key in auths and holds_secret(auths[key]):
        del auths[key]
    return config


def with_helper(config, key, helper):
    """The configuration that asks the helper for this registry."""
    config = copy.deepcopy(config)
    helpers = config.get("credHelpers") or {}
    if key == HUB_KEY:
        helpers = {name: value for name, value in helpers.items() if not is_stale_alias(key, name)}
    helpers[key] = helper
    config["credHelpers"] = helpers
    return config


def with_store(config, helper):
    """The configuration that asks the helper for every registry, or none when helper is None."""
    config = copy.deepcopy(config)
    if helper:
        config["credsStore"] = helper
    else:
        config.pop("credsStore", None)
    return config


def without_registry(config, key):
    """The configuration without any entry of the registry, however it is spelled."""
    config = copy.deepcopy(config)
    auths = config.get("auths") or {}
    browser = HUB_BROWSER_KEYS if key == HUB_KEY else ()
    for name in [name for name in auths if names_same_registry(key, name) or name in browser]:
        del auths[name]
    return config


def without_helper(config, key):
    """The configuration that names no helper for this registry alone."""
    config = copy.deepcopy(config)
    helpers = config.get("credHelpers") or {}
    found = [name for name in helpers if names_same_registry(key, name)]
    for name in found:
        del helpers[name]
    if found and not helpers:
        del config["credHelpers"]
    return config


def without_stale_aliases(config, key):
    """A copy without the other spellings of Docker Hub, which serve no pull and only mislead."""
    config = copy.deepcopy(config)
    auths = config.get("auths") or {}
    for name in [name for name in auths if is_stale_alias(key, name)]:
        del auths[name]
    return config


def is_stale_alias(key, name):
    return key == HUB_KEY and name != key and names_same_registry(key, name)
