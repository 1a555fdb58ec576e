# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import http.server
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import authentication
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http
from ansible_collections.slipway.platform.plugins.module_utils.registry import names as registry_names

LIMITS = {
    "ratelimit-limit": "100;w=21600",
    "ratelimit-remaining": "76;w=21600",
    "docker-ratelimit-source": "203.0.113.7",
}
RATE_LIMIT_PATH = "/v2/ratelimitpreview/test/manifests/latest"


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry and its token server in one. It accepts the user me with the password rïght."""

    challenges: ClassVar[list[str]] = []
    limits: ClassVar[dict[str, str]] = {}
    token: ClassVar[bytes] = b'{"access_token": "the-token"}'
    careless: ClassVar[bool] = False  # the token server gives anybody a token
    queries: ClassVar[list[dict[str, list[str]]]] = []

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        authorization = self.headers["Authorization"]
        basic = authorization == "Basic " + base64.b64encode("me:rïght".encode()).decode()
        if url.path == "/token":
            self.queries.append(parse_qs(url.query))
            self.answer(200 if basic or self.careless else 401, self.token)
        elif url.path == RATE_LIMIT_PATH:
            self.answer(
                200 if authorization == "Bearer the-token" and self.command == "HEAD" else 401, b"", self.limits
            )
        else:
            token = authorization == "Bearer the-token" and "Bearer" in str(self.challenges)
            self.answer(200 if basic or token or not self.challenges else 401, b"{}")

    do_HEAD = do_GET

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for challenge in self.challenges if status == 401 else []:
            value = challenge.format(self.headers["Host"])
            self.send_header("WWW-Authenticate", value.encode().decode("latin-1"))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test output quiet."""


class Tunnel(http.server.BaseHTTPRequestHandler):
    """A proxy that connects every host name to one local port."""

    port: ClassVar[int] = 0
    names: ClassVar[list[str]] = []

    def do_CONNECT(self) -> None:
        self.names.append(self.path)
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: server, server: self.connection}
            while True:
                for ready in select.select(list(pair), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pair[ready].sendall(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test output quiet."""


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def registry(*challenges: str, **attributes: object) -> Iterator[tuple[list[str], type[Registry]]]:
    handler = type("Handler", (Registry,), {"challenges": list(challenges), "queries": [], **attributes})
    with serving(handler) as port:
        yield registry_names.api_urls(f"127.0.0.1:{port}"), handler


BEARER = 'Bearer realm="http://{}/token",service="registry, of mine"'
BASIC = 'Basic realm="a registry"'
CLIENT = registry_http.Client(timeout=5, pauses=(0, 0))


@pytest.mark.parametrize("challenges", [[BEARER], [BASIC], [BASIC, BEARER], [f"Negotiate, {BASIC}, {BEARER}"]])
def test_valid_credentials_are_accepted_and_invalid_ones_are_rejected(challenges: list[str]) -> None:
    with registry(*challenges) as (urls, _):
        assert authentication.verify(CLIENT, urls, "me", "rïght")
        with pytest.raises(
            registry_http.WrongCredentials, match=r"rejected the credentials of user me \(HTTP 401\)"
        ) as caught:
            authentication.verify(CLIENT, urls, "me", "wr0ng-secret")
    assert "wr0ng-secret" not in str(caught.value)


def test_the_token_request_names_service_and_account() -> None:
    with registry(BEARER.replace("/token", "/token?x=1")) as (urls, handler):
        assert authentication.verify(CLIENT, urls, "me", "rïght")
    assert handler.queries == [
        {"x": ["1"], "service": ["registry, of mine"], "account": ["me"], "client_id": ["slipway"]}
    ]


def test_a_registry_without_authentication_verifies_nothing() -> None:
    with registry() as (urls, _):
        assert not authentication.verify(CLIENT, urls, "me", "wrong")


@pytest.mark.parametrize("password", ["rïght", "wr0ng-secret"])
def test_a_token_that_the_registry_refuses_verifies_nothing(password: str) -> None:
    """Fault: a token server gives anybody a token, and the registry accepts none. Outcome: refused; a refused token and
    a wrong password are two messages.
    """
    with (
        registry(BEARER, token=b'{"token": "another"}', careless=True) as (urls, _),
        pytest.raises(registry_http.Unusable, match=r"refuses the token that its token server gave user me") as caught,
    ):
        authentication.verify(CLIENT, urls, "me", password)
    assert "wr0ng-secret" not in str(caught.value)


REALMS = {
    "http://auth.example.com/token": "which has no TLS",
    "http://127.0.0.1.example.com/": "which has no TLS",
    "ftp://127.0.0.1/": "which has no TLS",
    "": "has no realm",
    "/token": "relative address",
    "auth.example.com/token": "relative address",
    "//auth.example.com/token": "relative address",
    "https://me:s3cret@auth.example/": "user name in its address",
    "https://auth.exämple.com/token": "characters that no address has",
    "https://auth.example.com/a b": "characters that no address has",
    "https://[::1/token": "not a valid address",
    "https://auth.example.com:99999/token": "not a valid address",
    "https:///token": "no valid host and port",
    "https://auth.example.com:0/": "no valid host and port",
    "https://auth..example.com/": "no valid host and port",
    "https://" + "a" * 64 + ".example.com/": "no valid host and port",
}


@pytest.mark.parametrize(("realm", "fault"), REALMS.items())
def test_credentials_are_sent_only_to_a_valid_https_url_and_each_fault_has_its_words(realm: str, fault: str) -> None:
    """Fault: a registry names no token server, or one by a relative, invalid or unencrypted address. Outcome: the fault
    is named; no credentials are sent.
    """
    with (
        registry(f'Bearer realm="{realm}"') as (urls, _),
        pytest.raises(registry_http.Unusable, match=f"{fault}.*so the credentials were not sent") as caught,
    ):
        authentication.verify(CLIENT, urls, "me", "rïght")
    assert "s3cret" not in str(caught.value)


def test_a_challenge_without_a_realm_is_named() -> None:
    with (
        registry('Bearer service="x"') as (urls, _),
        pytest.raises(registry_http.Unusable, match="Bearer challenge has no realm"),
    ):
        authentication.verify(CLIENT, urls, "me", "rïght")


@pytest.mark.parametrize("challenges", [["Negotiate"], ["Digest realm=x"]])
def test_an_unsupported_challenge_is_named(challenges: list[str]) -> None:
    with (
        registry(*challenges) as (urls, _),
        pytest.raises(registry_http.Unusable, match=r"offers (negotiate|digest) instead"),
    ):
        authentication.verify(CLIENT, urls, "me", "rïght")


@pytest.mark.parametrize("token", [b"", b"[]", b"{}", b'{"token": 5}', b"\xff", b'{"token": "a\\nb"}'])
def test_a_response_without_a_token_is_an_error(token: bytes) -> None:
    with registry(BEARER, token=token) as (urls, _), pytest.raises(registry_http.Unusable, match="returned no token"):
        authentication.verify(CLIENT, urls, "me", "rïght")


def test_an_unreachable_registry_is_not_a_wrong_password() -> None:
    with pytest.raises(registry_http.Unreachable):
        authentication.verify(CLIENT, registry_names.api_urls("127.0.0.1:1"), "me", "rïght")


@pytest.fixture
def hub_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = "subjectAltName=DNS:registry-1.docker.io,DNS:auth.docker.io"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stand-in", "-days", "1"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run([*command, "-addext", names, *files], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    return tmp_path


@contextmanager
def docker_hub(directory: Path, limits: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a proxy to stand-ins of Docker Hub, and the addresses that it was asked for."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
    challenge = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
    handler = type("Hub", (Registry,), {"challenges": [challenge], "limits": limits, "queries": []})
    with ExitStack() as stack:
        port = stack.enter_context(serving(handler, tls))
        names: list[str] = []
        tunnel = type("Proxy", (Tunnel,), {"port": port, "names": names})
        yield f"http://127.0.0.1:{stack.enter_context(serving(tunnel))}", names


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (LIMITS, {"limit": 100, "remaining": 76, "window_seconds": 21600, "source": "203.0.113.7"}),
        ({}, {"limit": None, "remaining": None, "window_seconds": None, "source": None}),
    ],
)
def test_docker_hub_is_reached_through_the_proxy(
    hub_certificate: Path, limits: dict[str, str], expected: dict[str, object]
) -> None:
    with docker_hub(hub_certificate, limits) as (proxy, names):
        client = registry_http.Client({"https": proxy}, 5, ())
        urls = registry_names.api_urls(registry_names.HUB_KEY)
        assert authentication.verify(client, urls, "me", "rïght")
        assert authentication.rate_limit(client, urls, "me", "rïght") == expected
        with pytest.raises(
            registry_http.WrongCredentials, match=r"registry-1.docker.io rejected the credentials of user me"
        ):
            authentication.verify(client, urls, "me", "wrong")
    assert set(names) == {"registry-1.docker.io:443", "auth.docker.io:443"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [("100;w=21600", (100, 21600)), ("100", (100, None)), (None, (None, None)), ("many", (None, None))],
)
def test_rate_limit_headers_are_parsed(header: str | None, expected: tuple[int | None, int | None]) -> None:
    assert authentication.parse_rate_limit(header) == expected


@pytest.mark.parametrize("header", ["9" * 5000, "100;w=" + "9" * 5000, "\u0663;w=1"])
def test_a_rate_limit_of_thousands_of_digits_is_none(header: str) -> None:
    assert authentication.parse_rate_limit(header) in ((None, None), (100, None))
