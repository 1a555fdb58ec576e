# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Download small files over HTTP with the standard library."""

import base64
import http.client
import urllib.error
import urllib.request

from ansible_collections.slipway.platform.plugins.module_utils.net import (
    openers,
    proxy_errors,
    redirects,
    tls,
    url_secrets,
)
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_variables import ENGINE

SIZE_LIMIT = 4 * 1024 * 1024
SCHEMES = ("http", "https", "file")  # a repository may be on a disk, as dnf knows


class FetchError(Exception):
    """A file cannot be downloaded; str() is the reason alone, without the URL."""

    def __init__(self, reason, remedy):
        super().__init__(reason)
        self.remedy = remedy


def check(variables):
    """Return the remedy for failures with more than one possible cause."""
    return f"check {variables.root} and {variables.proxy}"


def fetch(url, proxy, timeout, variables=ENGINE):
    """Return the body of a URL, at most SIZE_LIMIT bytes; proxy overrides the environment. Raise FetchError."""
    tls_handler = urllib.request.HTTPSHandler(context=tls.client_context())
    proxy_handler = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None)
    opener = openers.web_opener(tls_handler, proxy_handler, redirects.Redirects(), urllib.request.FileHandler())
    try:
        asked = request(url)
    except ValueError as error:
        raise FetchError(reason_of(error), check(variables)) from error
    if asked.type not in SCHEMES:
        raise FetchError(f"its scheme is {asked.type}", "use an address of " + ", ".join(SCHEMES))
    try:
        with opener.open(asked, timeout=timeout) as response:
            return response.read(SIZE_LIMIT)
    except (OSError, ValueError, http.client.HTTPException) as error:
        fault = proxy_errors.find(proxy, url, error, variables.proxy) if proxy else None
        raise FetchError(*(fault or (reason_of(error), check(variables)))) from error


def request(url):
    """Return the request, with the credentials in the URL, which a redirection does not pass on; raise ValueError."""
    address, user, password = url_secrets.split_credentials(url)
    if url_secrets.holds_userinfo(address):
        raise ValueError("special characters in its user name and password must be percent-encoded")
    asked = urllib.request.Request(address)
    if user:
        userinfo = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
        asked.add_unredirected_header("Authorization", "Basic " + userinfo)
    return asked


def reason_of(error):
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return url_secrets.redact(str(getattr(error, "reason", error)))
