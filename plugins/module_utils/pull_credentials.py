# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Finds the credentials with which a user of the host pulls, where the docker command line finds them."""

import base64
import json

from ansible_collections.slipway.platform.plugins.module_utils import (
    credential_helper,
    docker_config_file,
    docker_config_json,
    docker_config_redaction,
)
from ansible_collections.slipway.platform.plugins.module_utils.acting_as import AccountError, find_account
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import HUB_KEY, names_same_registry

# The user's name with which helpers say that the secret is an identity token.
TOKEN_USER = "<token>"


class CredentialsError(Exception):
    """They cannot be read; the text is the sentence for the user."""


class Keychain:
    """The credentials of one user; each helper is asked once for a registry."""

    def __init__(self, user):
        try:
            self.account = find_account(user)
            self.config = docker_config_file.read(self.account).config
        except (AccountError, docker_config_file.ConfigFileError, docker_config_json.DockerConfigError) as error:
            raise CredentialsError(str(error)) from error
        self.found = {}

    def of(self, key):
        """What the engine is told for the registry; empty for an anonymous pull."""
        if key not in self.found:
            helper = docker_config_json.helper_of(self.config, key)
            self.found[key] = self.from_helper(helper, key) if helper else self.from_file(key)
        return self.found[key]

    def from_helper(self, helper, key):
        try:
            kept = credential_helper.get(self.account, helper, key)
        except credential_helper.HelperError as error:
            raise CredentialsError(str(error)) from error
        if kept is None:
            return {}
        if kept.username == TOKEN_USER:
            return {"identitytoken": kept.secret, "serveraddress": key}
        return {"username": kept.username, "password": kept.secret, "serveraddress": key}

    def from_file(self, key):
        auths = self.config.get("auths") or {}
        spelled = [name for name in auths if name == key or (key != HUB_KEY and names_same_registry(key, name))]
        entry = auths[min(spelled, key=lambda name: name != key)] if spelled else {}
        if not isinstance(entry, dict) or not docker_config_json.holds_secret(entry):
            return {}
        username, password = docker_config_redaction.decode(entry.get("auth"))
        tokens = {name: entry[name] for name in ("identitytoken", "registrytoken") if entry.get(name)}
        return {"username": username, "password": password, "serveraddress": key, **tokens}

    def registries(self):
        """The registries that the user's file names."""
        return {*(self.config.get("auths") or {}), *(self.config.get("credHelpers") or {})}

    def of_registries(self, keys):
        """The credentials by registry; those that have none are left out."""
        found = {key: self.of(key) for key in sorted(keys)}
        return {key: auth for key, auth in found.items() if auth}

    def hide(self, text):
        """The text without any secret that was read here."""
        secrets = docker_config_redaction.stored_secrets(self.config)
        for auth in self.found.values():
            secrets |= docker_config_redaction.forms_of(auth.get("username"), auth.get("password"))
            secrets |= {auth[name] for name in ("identitytoken", "registrytoken") if auth.get(name)}
        return docker_config_redaction.hide(text, secrets)


def as_header(value):
    """How the engine takes credentials in a header."""
    return base64.urlsafe_b64encode(json.dumps(value).encode("utf-8")).decode("ascii")
