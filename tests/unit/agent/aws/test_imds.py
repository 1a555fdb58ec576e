# SPDX-License-Identifier: Apache-2.0
"""A metadata service that sends its client elsewhere, as a captive portal does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slipway_agent.aws import imds
from slipway_agent.aws.errors import AwsError

from tests.support.stand_in_aws import Aws


class Redirecting(BaseHTTPRequestHandler):
    """Redirects requests of one method to another server, and sends a session token to others."""

    method, target = "", ""

    def do_PUT(self) -> None:
        moved = self.command == self.method
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", self.target + self.path)
        self.end_headers()
        self.wfile.write(b"" if moved else b"token")

    do_GET = do_PUT

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    with server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.parametrize(("method", "request_"), [("PUT", "PUT api/token"), ("GET", "GET meta-data/placement/region")])
def test_a_redirection_is_not_followed(method: str, request_: str) -> None:
    """Fault: the metadata service redirects to another server. Outcome: no request, and so no session token, reaches
    that server; one sentence."""
    other = Aws(0, None)
    with serving(other) as target:
        handler = type("Handler", (Redirecting,), {"method": method, "target": target})
        with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as endpoint, pytest.raises(AwsError) as refused:
            imds.Metadata(endpoint).region()
    assert str(refused.value) == (
        f"the instance metadata service responds to {request_} with HTTP 302: check that it is enabled for the instance"
    )
    assert not other.requests
