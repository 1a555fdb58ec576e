# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Fetches small files over HTTP with the standard library."""

import urllib.error
import urllib.request

from ansible_collections.slipway.platform.plugins.module_utils import proxy_fault
from ansible_collections.slipway.platform.plugins.module_utils.repository_variables import ENGINE

SIZE_LIMIT = 4 * 1024 * 1024


class FetchError(Exception):
    """The address did not answer with a file; the text is the reason alone, without the address."""

    def __init__(self, reason, remedy):
        super().__init__(reason)
        self.remedy = remedy


def check(variables):
    """The remedy where more than one thing may be wrong."""
    return f"check {variables.root} and {variables.proxy}"


def fetch(url, proxy, timeout, variables=ENGINE):
    """The body at the URL; a given proxy is used instead of those of the environment."""
    handlers = [urllib.request.ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=timeout) as response:
            return response.read(SIZE_LIMIT)
    except (OSError, ValueError) as error:
        fault = proxy_fault.find(proxy, url, error, variables.proxy) if proxy else None
        raise FetchError(*(fault or (reason_of(error), check(variables)))) from error


def reason_of(error):
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(getattr(error, "reason", error))
