# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Lookup of a user's pull credentials, in the places where the Docker CLI looks."""

import base64
import json

from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import AccountError, find_account
from ansible_collections.slipway.platform.plugins.module_utils.registry import (
    config_file,
    config_json,
    credential_helpers,
    redaction,
)

# The user name by which helpers mark the secret as an identity token.
TOKEN_USER = "<token>"


class CredentialsError(Exception):
    """The credentials cannot be read; the message is for the user."""


class Keychain:
    """The credentials of one user. Each helper is queried once per registry. Raises CredentialsError.

    proxy is that of credential helpers.
    """

    def __init__(self, user, proxy=None):
        try:
            self.account = find_account(user)
            self.config = config_file.read(self.account).config
        except (AccountError, config_file.ConfigFileError, config_json.DockerConfigError) as error:
            raise CredentialsError(str(error)) from error
        self.path = config_file.path_of(self.account)
        self.proxy = proxy
        self.found = {}
        self.unreadable = {}

    def credentials_for(self, key):
        """The engine's AuthConfig dict for the registry; empty for an anonymous pull."""
        if key not in self.found:
            helper = config_json.helper_of(self.config, key)
            self.found[key] = self.from_helper(helper, key) if helper else self.from_file(key)
        return self.found[key]

    def from_helper(self, helper, key):
        try:
            stored = credential_helpers.get(self.account, helper, key, self.proxy)
            fault = stored and (config_json.secret_fault(stored.username) or config_json.secret_fault(stored.secret))
            if fault:
                raise credential_helpers.HelperError(
                    f"{credential_helpers.program(helper)} get returned {fault}: store the credentials again"
                )
        except credential_helpers.HelperError as error:
            raise CredentialsError(
                f"credentials of {key}: {error}. {credential_helpers.way_out(self.config, self.path, key)}"
            ) from error
        if stored is None or not stored.secret:
            return {}
        if stored.username == TOKEN_USER:
            return {"identitytoken": stored.secret, "serveraddress": key}
        return {"username": stored.username, "password": stored.secret, "serveraddress": key}

    def from_file(self, key):
        entry = config_json.entry_of(self.config, key)
        try:
            username, password = config_json.credentials_of(entry)
            tokens = {name: config_json.text_in(entry, name) for name in ("identitytoken", "registrytoken")}
        except ValueError as error:  # without the error's own words, which may quote the secret
            raise CredentialsError(
                f"{self.path}: the credentials of {key} are not valid (auth is base64 of user:password in UTF-8, all "
                "values are strings): log in to it again"
            ) from error
        tokens = {name: token for name, token in tokens.items() if token}
        if not tokens and not (username and password):
            return {}
        return {"username": username, "password": password, "serveraddress": key, **tokens}

    def registries(self):
        """The keys of all registries in the user's file."""
        return {*(self.config.get("auths") or {}), *(self.config.get("credHelpers") or {})}

    def credentials_by_registry(self, required, others=()):
        """Map keys of registries to AuthConfig dicts; registries without credentials are omitted.

        Those of other registries that cannot be read are added to self.unreadable.
        """
        found = {key: self.credentials_for(key) for key in sorted(required)}
        for key in sorted({*others} - {*required, *self.unreadable}):
            try:
                found[key] = self.credentials_for(key)
            except CredentialsError as error:
                self.unreadable[key] = str(error)
        return {key: auth for key, auth in found.items() if auth}

    def warnings(self):
        """A sentence for each registry whose credentials were left out because they cannot be read."""
        return [
            f"No image that is pulled or built names the registry {key}, so its credentials were left out: {reason}."
            for key, reason in sorted(self.unreadable.items())
        ]

    def hide(self, text):
        """Redact every secret of this keychain in the text."""
        secrets = redaction.stored_secrets(self.config)
        for auth in self.found.values():
            secrets |= redaction.forms_of(auth.get("username"), auth.get("password"))
            secrets |= {auth[name] for name in ("identitytoken", "registrytoken") if auth.get(name)}
        return redaction.hide(text, secrets)


def encode_header(value):
    """Encode credentials for the headers X-Registry-Auth and X-Registry-Config."""
    return base64.urlsafe_b64encode(json.dumps(value).encode("utf-8")).decode("ascii")
