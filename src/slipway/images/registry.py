# SPDX-License-Identifier: Apache-2.0
"""Registries as the engine reaches them: it logs in, asks, pulls and pushes, and what goes wrong is told apart here.

The engine streams an error inside a response that began with status 200, so streams are read to their end.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import docker
import requests
from docker.auth import load_config, resolve_authconfig, resolve_repository_name
from docker.errors import APIError, DockerException
from docker.utils import parse_repository_tag

from slipway.images.errors import ImageError
from slipway.images.supply import Registry

UNREACHABLE = re.compile(
    r"dial (tcp|udp)|no such host|connection (refused|reset)|i/o timeout|Client\.Timeout|deadline exceeded|"
    r"TLS handshake|x509: |HTTP response to HTTPS client|network is unreachable|no route to host|: EOF$",
    re.IGNORECASE,
)
NOT_THERE = re.compile(r"manifest unknown|name unknown|not found|not known to registry", re.IGNORECASE)
DENIED = re.compile(r"unauthorized|denied|authentication required|no basic auth|incorrect username", re.IGNORECASE)


class Unreachable(ImageError):
    """The engine cannot reach the registry."""


class Denied(ImageError):
    """The registry does not let this account do that."""


class NotThere(ImageError):
    """The registry has no such image, or says so to this account."""


def host_of(reference: str) -> str:
    """Return the registry of a reference, docker.io where it names none."""
    return resolve_repository_name(reference)[0]


def log_in(client: docker.DockerClient, host: str, login: Registry | None) -> str | None:
    """Log the engine's client in with login, where it is for the host, else with the user's config.json.

    Return the account's name, None where there is no account. Raises Denied or Unreachable.
    """
    account = _account(host, login)
    if not account:
        return None
    with told_apart(host, account["username"]):
        client.login(**account, reauth=True)
    return account["username"]


def digest_of(client: docker.DockerClient, reference: str, account: str | None = None) -> str:
    """Return the digest that a tag has in its registry. Raises NotThere, Denied or Unreachable."""
    with told_apart(host_of(reference), account):
        return str(client.images.get_registry_data(reference).id)


def pull(client: docker.DockerClient, reference: str, account: str | None = None) -> str:
    """Pull an image and return its id. Raises NotThere, Denied or Unreachable."""
    repository, tag = parse_repository_tag(reference)
    with told_apart(host_of(reference), account):
        _read(client.api.pull(repository, tag=tag or "latest", stream=True, decode=True))
        return str(client.images.get(reference).id)


def push(client: docker.DockerClient, reference: str, account: str | None = None) -> str:
    """Push an image and return the digest that the registry gave it. Raises Denied or Unreachable."""
    repository, tag = parse_repository_tag(reference)
    with told_apart(host_of(reference), account):
        pushed = _read(client.api.push(repository, tag=tag, stream=True, decode=True))
    return str(pushed["Digest"])


@contextmanager
def told_apart(host: str, account: str | None) -> Iterator[None]:
    """Turn what the engine says of a registry into one of the errors above."""
    try:
        yield
    except requests.Timeout as error:
        raise _told_apart(host, account, "i/o timeout of the engine itself") from error
    except APIError as error:
        raise _told_apart(host, account, str(error.explanation or error)) from error


class _StreamedError(APIError):
    """An error that came inside a response with status 200."""


def _read(stream: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Read a stream to its end; return what it says of the result."""
    result: dict[str, Any] = {}
    for line in stream:
        if "error" in line:
            raise _StreamedError(line["error"], explanation=line["error"])
        result.update(line.get("aux") or {})
    return result


def _told_apart(host: str, account: str | None, said: str) -> ImageError:
    # In this order: who is denied has reached the registry, but "unauthorized" may be a part of an image's name.
    if UNREACHABLE.search(said):
        return Unreachable(
            f"The engine cannot reach the registry {host}: {said}. Check its address and the engine's network."
        )
    if DENIED.search(said):
        who = f"the account {account}" if account else "a stranger"
        return Denied(
            f"The registry {host} denies {who}: {said}. Log in with `docker login {host}` as somebody who may do this."
        )
    if NOT_THERE.search(said):
        return NotThere(f"The registry {host} has no such image: {said}. Check the name.")
    return ImageError(f"The registry {host} fails: {said}. Try again, or ask its administrator.")


def _account(host: str, login: Registry | None) -> dict[str, str]:
    """Return what `DockerClient.login` takes; nothing for a stranger and for a token, which cannot be tried."""
    if login and login.address == host:
        return {"username": login.username, "password": login.password, "registry": host}
    try:
        found = resolve_authconfig(load_config(), host) or {}
    except DockerException as error:
        raise ImageError(
            f"The login for {host} cannot be read: {error}. Mend Docker's config.json or its credential helper."
        ) from error
    stored = {key.lower(): value for key, value in found.items()}  # a credential helper's answer has capital letters
    if "username" not in stored:
        return {}
    return {
        "username": stored["username"],
        "password": stored["password"],
        "registry": stored["serveraddress"],
    }
