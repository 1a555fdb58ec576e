# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Verifies credentials at a registry as the engine would use them, without an engine."""

import json
import re
from urllib.parse import urlencode, urlsplit

from ansible_collections.slipway.platform.plugins.module_utils import auth_challenge
from ansible_collections.slipway.platform.plugins.module_utils.docker_config_json import encode_auth
from ansible_collections.slipway.platform.plugins.module_utils.registry_http import (
    Unreachable,
    Unusable,
    WrongCredentials,
)
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import is_loopback

# Docker's own image for this question; to ask costs no pull.
PREVIEW = "ratelimitpreview/test"
REFUSED = (401, 403)


def verify(client, urls, username, password):
    """Whether the registry has confirmed the credentials; False when it asks for none at all."""
    url, answer = first_answer(client, urls)
    if answer.status == 200:
        return False
    challenge = choose(url, answer)
    if challenge.scheme == "basic":
        require_accepted(url, username, client.ask(url + "/v2/", basic(username, password)))
    else:
        token(client, challenge, url, username, password)
    return True


def first_answer(client, urls):
    """The base address that answers and its answer to a stranger."""
    for url in urls[:-1]:
        try:
            return url, client.ask_once(url + "/v2/")
        except Unreachable:
            continue
    return urls[-1], client.ask(urls[-1] + "/v2/")


def choose(url, answer):
    """The challenge to follow, Bearer before Basic."""
    host = urlsplit(url).netloc
    if answer.status != 401:
        raise Unusable(f"{host} does not answer like a registry (HTTP {answer.status} for /v2/): check the address")
    challenges = auth_challenge.parse(answer.headers.get_all("WWW-Authenticate") or [])
    for scheme in ("bearer", "basic"):
        for challenge in challenges:
            if challenge.scheme == scheme:
                return challenge
    asked = " or ".join(challenge.scheme for challenge in challenges) or "nothing that it names"
    raise Unusable(f"{host} asks for {asked}, not for Bearer or Basic: it cannot be verified, set verify to false")


def token(client, challenge, url, username, password, scope=None):
    """The token for the credentials."""
    realm = challenge.parameters.get("realm", "")
    require_safe(realm, url)
    query = [("service", challenge.parameters["service"])] if challenge.parameters.get("service") else []
    query += [("account", username), ("client_id", "slipway")] + ([("scope", scope)] if scope else [])
    address = realm.partition("#")[0]
    address += ("&" if urlsplit(realm).query else "?") + urlencode(query)
    answer = client.ask(address, basic(username, password))
    require_accepted(url, username, answer)
    return token_in(answer, realm)


def token_in(answer, realm):
    try:
        content = json.loads(answer.body.decode("utf-8"))
        found = content.get("token") or content.get("access_token")
    except (ValueError, AttributeError):
        found = None
    if not isinstance(found, str):
        raise Unusable(f"{urlsplit(realm).netloc} answers without a token: check the registry's configuration")
    return found


def require_safe(realm, url):
    """Refuse a token server to which the credentials would travel in clear."""
    try:
        parts = urlsplit(realm)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(realm))
        usable = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        safe = usable = False
    if not (safe and usable):
        raise Unusable(
            "{} wants the credentials sent to {!r}, which is not https: they are not".format(
                urlsplit(url).netloc, realm.partition("?")[0]
            )
        )


def require_accepted(url, username, answer):
    host = urlsplit(url).netloc
    if answer.status in REFUSED:
        raise WrongCredentials(
            f"the registry {host} refuses user {username} (HTTP {answer.status}): create a new token there "
            "and give it as password; the stored credentials stay"
        )
    if answer.status != 200:
        raise Unusable(f"{host} answers credentials with HTTP {answer.status}: check the address")


def basic(username, password):
    return {"Authorization": "Basic " + encode_auth(username, password)}


def rate_limit(client, urls, username, password):
    """What Docker Hub lets this account still pull; nulls for accounts without a limit."""
    url, answer = first_answer(client, urls)
    challenge = choose(url, answer)
    bearer = token(client, challenge, url, username, password, f"repository:{PREVIEW}:pull")
    answer = client.ask(f"{url}/v2/{PREVIEW}/manifests/latest", {"Authorization": "Bearer " + bearer}, "HEAD")
    limit, window = counted(answer.headers.get("ratelimit-limit"))
    remaining, other_window = counted(answer.headers.get("ratelimit-remaining"))
    return {
        "limit": limit,
        "remaining": remaining,
        "window_seconds": window if window is not None else other_window,
        "source": answer.headers.get("docker-ratelimit-source"),
    }


def counted(header):
    """The count and the seconds in a header such as 100;w=21600."""
    match = re.match(r"\s*(\d+)\s*(?:;.*?\bw=(\d+))?", header or "")
    if not match:
        return None, None
    return int(match.group(1)), int(match.group(2)) if match.group(2) else None
