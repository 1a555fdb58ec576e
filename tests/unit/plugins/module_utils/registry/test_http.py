# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http

AUTHORIZATION = {"Authorization": "Basic bWU6c2VjcmV0"}


class Scripted(http.server.BaseHTTPRequestHandler):
    """Responds with the status code in the path, and records requests."""

    asked: ClassVar[list[tuple[str, str | None]]] = []
    headers_to_send: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        self.send_response(int(self.path.split("/")[1]))
        for name, value in self.headers_to_send.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"the body")

    do_HEAD = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test output quiet."""


@contextmanager
def serving(
    headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, type[Scripted]]]:
    handler = type("Handler", (Scripted,), {"asked": [], "headers_to_send": headers or {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def client() -> registry_http.Client:
    return registry_http.Client(timeout=5, pauses=(0, 0))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stand-in", "-days", "1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(path), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run(command + files, check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "certificate.pem").read_text())
    return path


def tls_with(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_client_errors_are_returned_without_a_retry(status: int) -> None:
    with serving({"X-Test": "yes"}) as (url, handler):
        answer = client().ask(f"{url}/{status}/")
    assert (answer.status, answer.headers["X-Test"], len(handler.asked)) == (status, "yes", 1)


def test_a_server_error_is_retried_twice() -> None:
    with serving() as (url, handler):
        with pytest.raises(registry_http.Unreachable, match="HTTP 503 Service Unavailable"):
            client().ask(f"{url}/503/")
        assert len(handler.asked) == 3


def test_connection_failures_are_unreachable() -> None:
    with pytest.raises(registry_http.Unreachable, match=r"127.0.0.1:1 cannot be reached .*refused"):
        client().ask("http://127.0.0.1:1/")
    with pytest.raises(registry_http.Unreachable, match=r"absent.invalid cannot be reached"):
        client().ask("https://absent.invalid/")


@pytest.mark.parametrize(
    ("pause", "when"), [("30", "in 30 seconds"), ("Wed, 21 Oct 2026", "after Wed, 21 Oct"), (None, "later")]
)
def test_a_rate_limit_says_when_to_retry_and_is_not_retried(pause: str | None, when: str) -> None:
    with serving({"Retry-After": pause} if pause else {}) as (url, handler):
        with pytest.raises(registry_http.RateLimited, match=when):
            client().ask(f"{url}/429/")
        assert len(handler.asked) == 1


def test_an_untrusted_certificate_is_an_error_of_its_own(certificate: Path) -> None:
    with (
        serving(tls=tls_with(certificate)) as (url, _),
        pytest.raises(registry_http.Untrusted, match=r"self.signed.*system's trust store"),
    ):
        client().ask(f"{url}/200/")


def test_a_certificate_in_the_trust_store_is_accepted_for_its_names(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.parent / "certificate.pem"))
    with serving(tls=tls_with(certificate)) as (url, _):
        assert client().ask(f"{url}/200/").body == b"the body"
        with pytest.raises(registry_http.Untrusted, match="localhost"):
            client().ask(f"{url}/200/".replace("127.0.0.1", "localhost"))


def test_credentials_are_not_sent_to_another_host_by_a_redirect() -> None:
    with serving() as (elsewhere, other), serving({"Location": f"{elsewhere}/200/"}) as (url, _):
        with pytest.raises(registry_http.Unusable, match=r"redirects to http://127.0.0.1, which was not followed"):
            client().ask(f"{url}/302/", AUTHORIZATION)
        assert other.asked == []
        assert client().ask(f"{url}/302/").status == 200
        assert other.asked == [("/200/", None)]


def test_a_redirect_to_the_same_host_is_followed_with_credentials() -> None:
    with serving({"Location": "/200/"}) as (url, handler):
        assert client().ask(f"{url}/302/", AUTHORIZATION).status == 200
    assert handler.asked == [("/302/", AUTHORIZATION["Authorization"]), ("/200/", AUTHORIZATION["Authorization"])]


def test_no_redirect_leaves_https(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.parent / "certificate.pem"))
    with serving() as (plain, other), serving({"Location": f"{plain}/200/"}, tls_with(certificate)) as (url, _):
        with pytest.raises(registry_http.Unusable):
            client().ask(f"{url}/302/")
        assert other.asked == []


def test_an_invalid_address_is_an_error() -> None:
    with pytest.raises(registry_http.Unusable, match="not a valid address"):
        client().ask("http://127.0.0.1:port/")


@pytest.mark.parametrize(
    "location", ["http://[::1/x", "http://127.0.0.1:99999/", "https://" + "a" * 64 + ".example.com/", "http:///"]
)
def test_a_redirect_to_an_invalid_address_is_an_error(location: str) -> None:
    """Fault: a registry redirects to an invalid address. Outcome: it is said in one sentence."""
    with (
        serving({"Location": location}) as (url, _),
        pytest.raises(registry_http.RegistryError, match=r"redirects to|cannot be reached"),
    ):
        client().ask(f"{url}/302/")


def test_a_pause_that_a_server_makes_up_is_not_shown() -> None:
    with (
        serving({"Retry-After": "\x1b[31m" + "x" * 100}) as (url, _),
        pytest.raises(registry_http.RateLimited, match="try again later"),
    ):
        client().ask(f"{url}/429/")


def test_the_proxy_is_bypassed_for_loopback_addresses() -> None:
    with serving() as (url, _), serving() as (proxy, asked):
        through = registry_http.Client({"http": proxy, "https": proxy}, 5, ())
        assert through.ask(f"{url}/200/").status == 200
        assert asked.asked == []
        with pytest.raises(registry_http.Unreachable, match=r"registry.example cannot be reached"):
            through.ask("https://registry.example/200/")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "data:,text", "ftp://127.0.0.1/"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(registry_http.Unreachable, match="unknown url type"):
        client().ask(url)
