# SPDX-License-Identifier: Apache-2.0
"""The logins in the user's Docker configuration, where the SDK reads less than docker, or gives up too early.

The SDK ignores a username and password without auth, and fails a build if the helper of any registry fails, even one
that no image needs.
"""

import warnings
from collections.abc import Callable
from typing import Any

import docker
from docker.auth import AuthConfig, resolve_index_name
from docker.credentials import StoreError
from docker.errors import DockerException
from docker.utils.config import load_general_config


class _Logins(AuthConfig):
    """Logins of which each registry's counts by itself."""

    # The SDK reads the file again if there is nothing.
    is_empty = False

    def __init__(self, logins: Any, report: Callable[[str], None]) -> None:
        super().__init__(dict(logins), logins._credstore_env)
        self._report = report
        self._sdk: Any = self  # its types leave out what a subclass needs

    def get_all_credentials(self) -> dict[str, Any]:
        """Return the logins for a build, without those that cannot be read; its bases were pulled before."""
        found: dict[str, Any] = dict(self.auths)
        for registry, store in self.cred_helpers.items():
            self._add(found, registry, store)
        if self.creds_store:
            try:
                registries = list(self._sdk._get_store_instance(self.creds_store).list())
            except StoreError as error:
                registries = []
                self._report(f"the logins in {self.creds_store} cannot be read ({error}): left out")
            for registry in registries:
                self._add(found, registry, self.creds_store)
        return {registry: login for registry, login in found.items() if login}

    def _add(self, found: dict[str, Any], registry: str, store: str) -> None:
        try:
            with warnings.catch_warnings(action="ignore"):  # the SDK warns about a missing helper
                login = self._sdk._resolve_authconfig_credstore(registry, store)
        except DockerException as error:
            self._report(f"the login for {registry} cannot be read ({error}): left out")
        else:
            found.setdefault(registry, login)


def keep_unreadable_out(client: docker.DockerClient, report: Callable[[str], None]) -> None:
    """Have builds of this client leave out the logins that cannot be read, and report each of them."""
    api: Any = client.api
    api._auth_configs = _Logins(api._auth_configs, report)


def plain_login(host: str) -> dict[str, str]:
    """Return username and password of an entry without auth, as docker reads it; {} without one."""
    auths = load_general_config().get("auths") or {}
    for address, entry in auths.items():
        if resolve_index_name(address) == host and isinstance(entry, dict) and not entry.get("auth"):
            username, password = entry.get("username"), entry.get("password")
            if isinstance(username, str) and isinstance(password, str) and username and password:
                return {"username": username, "password": password, "serveraddress": address}
    return {}
