# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""An opener of URLs that speaks HTTP alone, unless told otherwise."""

import urllib.request


def web_opener(*handlers):
    """Return an opener for http and https: one of build_opener would also read local files, and ftp and data URLs.

    handlers: the HTTPSHandler, the ProxyHandler, the handler of redirections, and those of other schemes.
    """
    opener = urllib.request.OpenerDirector()
    plain = urllib.request.HTTPHandler(), urllib.request.UnknownHandler()
    errors = urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor()
    for handler in (*plain, *errors, *handlers):
        opener.add_handler(handler)
    return opener
