# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Redirections that neither pass on the proxy's password nor have a body read."""

import urllib.request


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections as urllib does, but for what a server that redirects could abuse."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        fp.close()  # urllib would read the body to its end, and into memory
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request:
            # Where the new address is reached through the proxy too, the handler of proxies adds it again.
            request.headers.pop("Proxy-authorization", None)
        return request
