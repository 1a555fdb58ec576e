# SPDX-License-Identifier: Apache-2.0
"""Registry operations through the engine (log in, look up, pull, push), with classified errors.

The engine reports errors inside streams that began with status 200, so streams are read to their end.
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

from slipway.images import logins
from slipway.images.errors import ImageError
from slipway.images.supply import Registry

UNREACHABLE = re.compile(
    r"dial (tcp|udp)|no such host|connection (refused|reset)|i/o timeout|Client\.Timeout|deadline exceeded|"
    r"TLS handshake|x509: |HTTP response to HTTPS client|network is unreachable|no route to host|: EOF$",
    re.IGNORECASE,
)
NOT_FOUND = re.compile(r"manifest unknown|name unknown|not found|not known to registry", re.IGNORECASE)
DENIED = re.compile(r"unauthorized|denied|authentication required|no basic auth|incorrect username", re.IGNORECASE)


class Unreachable(ImageError):
    """The engine cannot reach the registry."""


class Denied(ImageError):
    """The registry denies this to the account."""


class NotFound(ImageError):
    """The registry has no such image, or hides it from this account."""


def host_of(reference: str) -> str:
    """Return the registry of a reference; docker.io by default."""
    return resolve_repository_name(reference)[0]


def log_in(client: docker.DockerClient, host: str, login: Registry | None) -> str | None:
    """Log the client in with login if it is for the host, else with the user's config.json.

    Return the account's name, or None without an account. Raises Denied or Unreachable.
    """
    account = _account(host, login)
    if not account:
        return None
    with classify_errors(host, account["username"]):
        client.login(**account, reauth=True)
    return account["username"]


def digest_of(client: docker.DockerClient, reference: str, account: str | None = None) -> str:
    """Return the digest that a tag has in its registry. Raises NotFound, Denied or Unreachable."""
    with classify_errors(host_of(reference), account):
        return str(client.images.get_registry_data(reference).id)


def pull(client: docker.DockerClient, reference: str, account: str | None = None) -> str:
    """Pull an image and return its id. Raises NotFound, Denied or Unreachable."""
    repository, tag = parse_repository_tag(reference)
    with classify_errors(host_of(reference), account):
        _read(client.api.pull(repository, tag=tag or "latest", stream=True, decode=True))
        return str(client.images.get(reference).id)


def push(client: docker.DockerClient, reference: str, account: str | None = None) -> str:
    """Push an image and return its digest in the registry. Raises Denied or Unreachable."""
    repository, tag = parse_repository_tag(reference)
    with classify_errors(host_of(reference), account):
        pushed = _read(client.api.push(repository, tag=tag, stream=True, decode=True))
    return str(pushed["Digest"])


@contextmanager
def classify_errors(host: str, account: str | None) -> Iterator[None]:
    """Turn the engine's errors about a registry into one of the errors above."""
    try:
        yield
    except requests.Timeout as error:
        raise _classify(host, account, "i/o timeout while waiting for the engine") from error
    except APIError as error:
        raise _classify(host, account, str(error.explanation or error)) from error


class _StreamedError(APIError):
    """An error inside a response with status 200."""


def _read(stream: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Read a stream to its end; return its result."""
    result: dict[str, Any] = {}
    for line in stream:
        if "error" in line:
            raise _StreamedError(line["error"], explanation=line["error"])
        result.update(line.get("aux") or {})
    return result


def _classify(host: str, account: str | None, message: str) -> ImageError:
    # The order matters: "unauthorized" may be part of an image name in a network error.
    if UNREACHABLE.search(message):
        return Unreachable(
            f"The engine cannot reach the registry {host}: {message}. Check its address and the engine's network."
        )
    if DENIED.search(message):
        who = f"the account {account}" if account else "anonymous access"
        return Denied(
            f"The registry {host} denies {who}: {message}. "
            f"Log in with `docker login {host}` as an account with this right."
        )
    if NOT_FOUND.search(message):
        return NotFound(f"The registry {host} has no such image: {message}. Check the name.")
    return ImageError(f"The registry {host} returned an error: {message}. Try again, or ask its administrator.")


def _account(host: str, login: Registry | None) -> dict[str, str]:
    """Return the arguments of `DockerClient.login`; {} without credentials, or for a token, which cannot log in."""
    if login and login.address == host:
        return {"username": login.username, "password": login.password, "registry": host}
    try:
        found = resolve_authconfig(load_config(), host) or {}
    except (DockerException, ValueError, TypeError, AttributeError) as error:  # the SDK does not validate the file
        raise ImageError(
            f"The login for {host} cannot be read: {error}. Fix Docker's config.json or its credential helper."
        ) from error
    found = found or logins.plain_login(host)
    stored = {key.lower(): value for key, value in found.items()}  # credential helpers capitalize the keys
    if "username" not in stored:
        return {}
    return {
        "username": stored["username"],
        "password": stored["password"],
        "registry": stored["serveraddress"],
    }
