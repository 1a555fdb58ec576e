# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""HTTP client for registries, with one error class for each cause of failure."""

import copy
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections import namedtuple
from urllib.parse import urlsplit

from ansible_collections.slipway.platform.plugins.module_utils.net import proxy_errors, tls
from ansible_collections.slipway.platform.plugins.module_utils.net.host_names import is_loopback_url
from ansible_collections.slipway.platform.plugins.module_utils.net.openers import web_opener
from ansible_collections.slipway.platform.plugins.module_utils.net.proxies import proxy_for
from ansible_collections.slipway.platform.plugins.module_utils.net.redirects import Redirects
from ansible_collections.slipway.platform.plugins.module_utils.registry import certificates

Answer = namedtuple("Answer", ["status", "headers", "body"])

SIZE_LIMIT = 1024 * 1024
# Between three attempts.
PAUSE_SECONDS = (0.5, 1.5)
# Of OpenSSL, where a server answers a TLS handshake in clear text.
CLEAR_TEXT = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")
# Alerts of a server that wants a client certificate, or another one.
CLIENT_CERTIFICATE = (
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "TLSV1_ALERT_UNKNOWN_CA",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
)
LONGEST_PAUSE_SHOWN = 40
PROXY_VARIABLE = "docker_engine_proxy (or docker_registry_auth_proxy, where that is set)"


class RegistryError(Exception):
    """The credentials could not be verified; the message is for the user."""


class WrongCredentials(RegistryError):
    """The registry rejected the credentials."""


class Unreachable(RegistryError):
    """No answer, or a server error; the only error that is worth a retry."""


class ClearText(RegistryError):
    """The registry has no TLS, so no credentials are sent to it."""


class Untrusted(RegistryError):
    """This host does not trust the certificate."""


class ProxyError(RegistryError):
    """The proxy failed, and the registry was not reached."""


class RateLimited(RegistryError):
    """The registry limits the request rate."""


class Unusable(RegistryError):
    """The server is not a registry, or not one to which credentials may be sent."""


class SafeRedirects(Redirects):  # type: ignore[misc]  # untyped, as all of this collection
    """Rejects redirects that would send credentials to another origin, or leave https."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        leaves_https = new.scheme not in (old.scheme, "https")
        leaks_credentials = req.has_header("Authorization") and origin(old) != origin(new)
        if leaves_https or leaks_credentials or req.get_method() != "GET":
            raise Unusable(
                f"{old.netloc} redirects to {new.scheme}://{new.hostname}, which was not followed: set the registry to "
                "the address that serves it"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def origin(parts):
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class Client:
    """HTTP client with the system's trust store and the given proxy settings, or those of the environment.

    is_insecure tells whether the engine's insecure-registries name a registry; variable names what sets the proxy.
    """

    def __init__(
        self, proxy=None, timeout=10, pauses=PAUSE_SECONDS, is_insecure=lambda key: False, variable=PROXY_VARIABLE
    ):
        self.timeout = timeout
        self.pauses = tuple(pauses)
        self.proxy = {key: value for key, value in (proxy or {}).items() if value}
        self.is_insecure = is_insecure
        self.variable = variable
        self.trust(None, tls.client_context(), [])

    def trust(self, key, context, ignored):
        self.key, self.ignored = key, ignored
        self.tls = urllib.request.HTTPSHandler(context=context)

    def for_registry(self, key):
        """Return a client that also has the registry's CAs and client certificate. Raises Unusable."""
        client = copy.copy(self)
        try:
            client.trust(key, *certificates.context_of(certificates.folder_of(key)))
        except certificates.CertificateFileError as error:
            raise Unusable(str(error)) from error
        return client

    def opener(self, url, proxy):
        """An opener for the URL. Without settings the environment names the proxy; loopback addresses bypass it."""
        proxies = {urlsplit(url).scheme: proxy} if proxy else {}
        handler = urllib.request.ProxyHandler(proxies if self.proxy or is_loopback_url(url) else None)
        return web_opener(handler, self.tls, SafeRedirects())

    def ask(self, url, headers=(), method="GET"):
        """Send a request and return its Answer; retry while the registry is Unreachable. Raises RegistryError."""
        for pause in self.pauses:
            try:
                return self.ask_once(url, headers, method)
            except Unreachable:
                time.sleep(pause)
        return self.ask_once(url, headers, method)

    def ask_once(self, url, headers=(), method="GET"):
        host = urlsplit(url).netloc
        proxy = "" if is_loopback_url(url) else proxy_for(self.proxy, url)
        try:
            request = urllib.request.Request(url, headers=dict(headers), method=method)
            with self.opener(url, proxy).open(request, timeout=self.timeout) as response:
                answer = Answer(response.status, response.headers, response.read(SIZE_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                require_proxy(proxy, url, error, self.variable)
                answer = Answer(error.code, error.headers, b"")
        except http.client.InvalidURL as error:
            raise Unusable(f"{host} is not a valid address ({error})") from error
        except (OSError, ssl.CertificateError, http.client.HTTPException) as error:
            require_proxy(proxy, url, error, self.variable)
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise self.connection_error(host, reason) from error
        except ValueError as error:
            raise Unusable(
                f"{host} redirects to an address that is not valid ({error}): set the registry to the address that "
                "serves it, or correct the redirect there"
            ) from error
        return require_service(host, answer)

    def connection_error(self, host, reason):
        """The RegistryError for a failure below HTTP."""
        code = getattr(reason, "reason", None) or ""
        folder = certificates.folder_of(self.key) if self.key else None
        insecure = bool(self.key) and self.is_insecure(self.key)
        if code == "CERTIFICATE_VERIFY_FAILED" or isinstance(reason, ssl.CertificateError):
            why = getattr(reason, "verify_message", "") or str(reason)
            return Untrusted(f"the certificate of {host} is not trusted ({why}): {self.trust_remedy(folder, insecure)}")
        if code in CLEAR_TEXT:
            return ClearText(
                f"{host} has no TLS, and credentials are sent over TLS only: give the registry a certificate, or set "
                "verify to false for this login"
                + ("" if insecure else " and list it in insecure-registries of docker_engine_daemon_options")
            )
        if code in CLIENT_CERTIFICATE and folder:
            return Unusable(
                f"{host} rejects this host's client certificate, or the lack of one ({code}): put it into "
                f"{folder}/client.cert, and its key into {folder}/client.key"
            )
        dropped = isinstance(reason, (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError))
        return Unreachable(
            "{} cannot be reached ({}): check its name, the network and the proxy{}".format(
                host,
                str(reason) or type(reason).__name__,
                f", and whether it demands a client certificate ({folder}/client.cert)" if dropped and folder else "",
            )
        )

    def trust_remedy(self, folder, insecure):
        if not folder:
            return "add the CA that signed it to the system's trust store, then restart the engine"
        remedy = f"add the CA that signed it as {folder}/ca.crt, or to the system's trust store"
        if self.ignored:
            remedy += "; there is no certificate in {}".format(" and ".join(self.ignored))
        if insecure:
            remedy += "; that insecure-registries names it counts for the engine alone, or set verify to false"
        return remedy


def require_proxy(proxy, url, error, variable):
    """Raise ProxyError if the proxy caused the error."""
    fault = proxy_errors.find(proxy, url, error, variable) if proxy else None
    if fault:
        raise ProxyError(f"{urlsplit(url).netloc} cannot be reached ({fault.reason}): {fault.remedy}") from error


def require_service(host, answer):
    """Return the answer; raise RateLimited or Unreachable if the service is not available."""
    if answer.status == 429:
        pause = answer.headers.get("Retry-After") or ""
        pause = pause if pause.isprintable() and len(pause) <= LONGEST_PAUSE_SHOWN else ""
        when = f"in {pause} seconds" if pause.isdigit() else f"after {pause}" if pause else "later"
        raise RateLimited(f"{host} limits the request rate (HTTP 429): try again {when}")
    if answer.status >= 500:
        raise Unreachable(
            f"{host} cannot be reached (HTTP {answer.status} {http.client.responses.get(answer.status, '')}): "
            "the server failed, try again later"
        )
    return answer
