# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks registries over HTTP, and tells apart why one does not answer."""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections import namedtuple
from urllib.parse import urlsplit

from ansible_collections.slipway.platform.plugins.module_utils import proxy_fault
from ansible_collections.slipway.platform.plugins.module_utils.proxy_address import proxy_for
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import is_loopback

Answer = namedtuple("Answer", ["status", "headers", "body"])

SIZE_LIMIT = 1024 * 1024
# Between the three tries.
PAUSE_SECONDS = (0.5, 1.5)
PROXY_VARIABLE = "docker_engine_proxy (or docker_registry_auth_proxy, where that is set)"


class RegistryError(Exception):
    """The credentials could not be verified; the text is the sentence for the user."""


class WrongCredentials(RegistryError):
    """The registry refuses them."""


class Unreachable(RegistryError):
    """Nobody answers, or only an error of the server; the one error that may pass by itself."""


class Untrusted(RegistryError):
    """The certificate is not one that this host trusts."""


class ProxyFails(RegistryError):
    """The proxy is to blame, and the registry was not asked."""


class RateLimited(RegistryError):
    """The registry wants to be left alone for a while."""


class Unusable(RegistryError):
    """What answers is not a registry that credentials could be sent to."""


class CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect that would carry credentials elsewhere or leave https."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        leaves_https = new.scheme not in (old.scheme, "https")
        carries = req.has_header("Authorization") and origin(old) != origin(new)
        if leaves_https or carries or req.get_method() != "GET":
            raise Unusable(
                f"{old.netloc} redirects to {new.scheme}://{new.hostname}: credentials are not sent there, "
                "name the registry by its own address"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def origin(parts):
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class Client:
    """Asks with the system's trust store, through the proxy of given settings or through those of the environment."""

    def __init__(self, proxy=None, timeout=10, pauses=PAUSE_SECONDS):
        self.timeout = timeout
        self.pauses = tuple(pauses)
        self.proxy = {key: value for key, value in (proxy or {}).items() if value}
        self.tls = urllib.request.HTTPSHandler(context=ssl.create_default_context())

    def opener(self, url, proxy):
        """What opens the URL; without settings the environment decides, but never for this host itself."""
        given = {urlsplit(url).scheme: proxy} if proxy else {}
        handler = urllib.request.ProxyHandler(given if self.proxy or is_loopback(url) else None)
        return urllib.request.build_opener(handler, self.tls, CarefulRedirects())

    def ask(self, url, headers=(), method="GET"):
        """The answer; only what may pass by itself is tried again."""
        for pause in self.pauses:
            try:
                return self.ask_once(url, headers, method)
            except Unreachable:
                time.sleep(pause)
        return self.ask_once(url, headers, method)

    def ask_once(self, url, headers=(), method="GET"):
        host = urlsplit(url).netloc
        proxy = "" if is_loopback(url) else proxy_for(self.proxy, url)
        try:
            request = urllib.request.Request(url, headers=dict(headers), method=method)
            with self.opener(url, proxy).open(request, timeout=self.timeout) as response:
                answer = Answer(response.status, response.headers, response.read(SIZE_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                require_way(proxy, url, error)
                answer = Answer(error.code, error.headers, b"")
        except http.client.InvalidURL as error:
            raise Unusable(f"{host} is not an address that can be asked ({error})") from error
        except (OSError, ssl.CertificateError, http.client.HTTPException) as error:
            require_way(proxy, url, error)
            raise connection_error(host, getattr(error, "reason", None) or error) from error
        return require_service(host, answer)


def require_way(proxy, url, error):
    """Refuse to go on where the proxy is to blame for the error."""
    fault = proxy_fault.find(proxy, url, error, PROXY_VARIABLE) if proxy else None
    if fault:
        raise ProxyFails(f"{urlsplit(url).netloc} cannot be reached ({fault.reason}): {fault.remedy}") from error


def connection_error(host, reason):
    """The error for what happened below HTTP."""
    verification = getattr(reason, "reason", "") == "CERTIFICATE_VERIFY_FAILED"
    if verification or isinstance(reason, ssl.CertificateError):
        why = getattr(reason, "verify_message", "") or str(reason)
        return Untrusted(
            f"the certificate of {host} is not trusted ({why}): "
            "put the CA that signed it into the system's trust store, then restart the engine"
        )
    return Unreachable(
        f"{host} cannot be reached ({reason or type(reason).__name__}): check its name, the network and the proxy"
    )


def require_service(host, answer):
    """The answer itself, unless it says that there is none now."""
    if answer.status == 429:
        pause = answer.headers.get("Retry-After")
        when = f"in {pause} seconds" if (pause or "").isdigit() else f"after {pause}" if pause else "later"
        raise RateLimited(f"{host} limits the rate of requests (HTTP 429): try again {when}")
    if answer.status >= 500:
        raise Unreachable(
            f"{host} cannot be reached (HTTP {answer.status} {http.client.responses.get(answer.status, '')}): "
            "it is out of order, try again later"
        )
    return answer
