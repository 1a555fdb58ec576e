# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Fetches small files over HTTP with the standard library."""

import urllib.error
import urllib.request

SIZE_LIMIT = 4 * 1024 * 1024


class FetchError(Exception):
    """The address did not answer with a file; the text is the reason alone, without the address."""


def fetch(url, proxy, timeout):
    """The body at the URL; a given proxy is used instead of those of the environment."""
    handlers = [urllib.request.ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=timeout) as response:
            return response.read(SIZE_LIMIT)
    except urllib.error.HTTPError as error:
        raise FetchError(f"HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise FetchError(str(error.reason)) from error
    except (OSError, ValueError) as error:
        raise FetchError(str(error)) from error
