# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What a server that redirects gets, and what the one to which it redirects does."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import download

GIGABYTE = 1 << 30
CHUNK = bytes(1 << 20)


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Do not log requests."""


class Elsewhere(Quiet):
    """Tells which credentials of a proxy it received."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers["Proxy-Authorization"]).encode())


class Redirecting(Quiet):
    """A proxy, or the server behind it, that redirects to another one, with a body of a gigabyte."""

    target = ""
    sent = 0

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://{self.target}/")
        self.send_header("Content-Length", str(GIGABYTE))
        self.end_headers()
        try:
            while type(self).sent < GIGABYTE:
                self.wfile.write(CHUNK)
                type(self).sent += len(CHUNK)
        except OSError:
            pass  # as it should be


def serve(handler: type[Quiet]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    yield from serve(Elsewhere)


@pytest.fixture
def proxy(elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Redirecting, "target", elsewhere)
    monkeypatch.setattr(Redirecting, "sent", 0)
    yield from serve(Redirecting)


def test_a_redirection_around_the_proxy_does_not_take_its_password_along(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: a server redirects to a host that is reached without the proxy. Outcome: that host does not get the
    proxy's password.
    """
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert download.fetch("http://repository.example/key", f"http://me:s3cret@{proxy}", 10) == b"None"


def test_the_body_of_a_redirection_is_not_read(proxy: str, elsewhere: str) -> None:
    """Fault: a redirection has a body of gigabytes. Outcome: it is not read."""
    assert download.fetch(f"http://{proxy}/key", None, 10) == b"None"
    assert Redirecting.sent < GIGABYTE // 8
