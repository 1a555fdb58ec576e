# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Registry authentication: verifies credentials the way the engine does, without an engine."""

import json
import re
from urllib.parse import urlencode, urlsplit

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.net.host_names import is_dns_name, is_loopback_url
from ansible_collections.slipway.platform.plugins.module_utils.registry import challenges as registry_challenges
from ansible_collections.slipway.platform.plugins.module_utils.registry.config_json import encode_auth
from ansible_collections.slipway.platform.plugins.module_utils.registry.http import (
    ClearText,
    Unreachable,
    Unusable,
    WrongCredentials,
)

# The image that Docker provides for rate limit queries; a HEAD request does not count as a pull.
RATE_LIMIT_IMAGE = "ratelimitpreview/test"
DENIED = (401, 403)


def verify(client, urls, username, password):
    """Return True if the registry accepts the credentials, False if it requires none.

    Raises RegistryError, WrongCredentials among others.
    """
    url, answer = first_answer(client, urls)
    if answer.status == 200:
        return False
    challenge = choose_challenge(url, answer)
    if challenge.scheme == "basic":
        require_accepted(url, username, client.ask(url + "/v2/", basic_header(username, password)))
    else:
        token = request_token(client, challenge, url, username, password)
        # A token server may give anybody a token, which proves nothing yet.
        require_valid_token(url, username, client.ask(url + "/v2/", bearer_header(token)))
    return True


def first_answer(client, urls):
    """The first base URL that answers, and its answer to an anonymous request."""
    for url in urls[:-1]:
        try:
            return url, client.ask_once(url + "/v2/")
        except (Unreachable, ClearText):
            continue
    return urls[-1], client.ask(urls[-1] + "/v2/")


def choose_challenge(url, answer):
    """The challenge to answer: Bearer, otherwise Basic. Raises Unusable."""
    host = urlsplit(url).netloc
    if answer.status in (400, 403):
        raise Unusable(
            f"{host} asks for no credentials (HTTP {answer.status} for /v2/): check the address, and whether it "
            "demands a client certificate, which belongs into /etc/docker/certs.d"
        )
    if answer.status != 401:
        raise Unusable(f"{host} is not a registry (HTTP {answer.status} for /v2/): check the address")
    challenges = registry_challenges.parse(answer.headers.get_all("WWW-Authenticate") or [])
    for scheme in ("bearer", "basic"):
        for challenge in challenges:
            if challenge.scheme == scheme:
                return challenge
    offered = " or ".join(challenge.scheme for challenge in challenges) or "no authentication scheme"
    raise Unusable(f"{host} offers {offered} instead of Bearer or Basic, which cannot be verified: set verify to false")


def request_token(client, challenge, url, username, password, scope=None):
    """Exchange the credentials for a token. Raises RegistryError."""
    realm = challenge.parameters.get("realm", "")
    require_safe(realm, url)
    query = [("service", challenge.parameters["service"])] if challenge.parameters.get("service") else []
    query += [("account", username), ("client_id", "slipway")] + ([("scope", scope)] if scope else [])
    address = realm.partition("#")[0]
    address += ("&" if urlsplit(realm).query else "?") + urlencode(query)
    answer = client.ask(address, basic_header(username, password))
    require_accepted(url, username, answer)
    return parse_token(answer, realm)


def parse_token(answer, realm):
    try:
        content = json.loads(answer.body.decode("utf-8"))
        value = content.get("token") or content.get("access_token")
    except (ValueError, AttributeError):
        value = None
    if not isinstance(value, str) or not is_plain(value) or not value:
        raise Unusable(f"{urlsplit(realm).netloc} returned no token: check the registry's configuration")
    return value


def require_safe(realm, url):
    """Raise Unusable unless the token server is reached over https, or on the loopback interface."""
    fault = realm_fault(realm)
    if fault:
        raise Unusable(
            f"{urlsplit(url).netloc} names {fault}, so the credentials were not sent: configure an https realm in the "
            "registry"
        )


def realm_fault(realm):
    """What is wrong with the address of a token server, or None."""
    shown = url_secrets.redact(realm.partition("?")[0])
    if not realm:
        return "no token server (its Bearer challenge has no realm)"
    if not is_plain(realm):
        return f"the token server {shown!r}, which has characters that no address has"
    try:
        parts = urlsplit(realm)
        port = parts.port
    except ValueError as error:
        return f"the token server {shown!r}, which is not a valid address ({error})"
    if not parts.scheme:
        return f"the token server {shown!r}, which is a relative address"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_url(realm)):
        return f"the token server {shown!r}, which has no TLS"
    if not is_dns_name(parts.hostname or "") or port == 0:
        return f"the token server {shown!r}, which has no valid host and port"
    if "@" in parts.netloc:
        return f"the token server {shown!r}, which has a user name in its address"
    return None


def is_plain(text):
    return all("!" <= character <= "~" for character in text)


def require_valid_token(url, username, answer):
    host = urlsplit(url).netloc
    if answer.status in DENIED:
        raise Unusable(
            f"{host} refuses the token that its token server gave user {username} (HTTP {answer.status}): check that "
            "the registry trusts that server's key, and that the clocks agree; the password may be right"
        )
    require_accepted(url, username, answer)


def require_accepted(url, username, answer):
    host = urlsplit(url).netloc
    if answer.status in DENIED:
        raise WrongCredentials(
            f"the registry {host} rejected the credentials of user {username} (HTTP {answer.status}): create a new "
            "token there and set it as the password; the stored credentials are unchanged"
        )
    if answer.status != 200:
        raise Unusable(f"{host} answered the login with HTTP {answer.status}: check the address")


def basic_header(username, password):
    return {"Authorization": "Basic " + encode_auth(username, password)}


def bearer_header(token):
    return {"Authorization": "Bearer " + token}


def rate_limit(client, urls, username, password):
    """The pull rate limit of a Docker Hub account, as a dict; values are None for accounts without a limit."""
    url, answer = first_answer(client, urls)
    challenge = choose_challenge(url, answer)
    bearer = request_token(client, challenge, url, username, password, f"repository:{RATE_LIMIT_IMAGE}:pull")
    answer = client.ask(f"{url}/v2/{RATE_LIMIT_IMAGE}/manifests/latest", bearer_header(bearer), "HEAD")
    limit, window = parse_rate_limit(answer.headers.get("ratelimit-limit"))
    remaining, other_window = parse_rate_limit(answer.headers.get("ratelimit-remaining"))
    return {
        "limit": limit,
        "remaining": remaining,
        "window_seconds": window if window is not None else other_window,
        "source": answer.headers.get("docker-ratelimit-source"),
    }


def parse_rate_limit(header):
    """The count and the window in seconds of a header such as 100;w=21600; None for missing values."""
    # Python refuses to convert thousands of digits.
    match = re.match(r"\s*([0-9]{1,18})(?![0-9])\s*(?:;.*?\bw=([0-9]{1,18})(?![0-9]))?", header or "")
    if not match:
        return None, None
    return int(match.group(1)), int(match.group(2)) if match.group(2) else None
