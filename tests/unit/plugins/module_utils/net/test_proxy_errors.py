# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Failures of a proxy are reported in the messages of everything that uses one."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import download
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status of its server."""

    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]  # set below
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    do_CONNECT = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Do not log requests."""


@contextmanager
def proxy_that_answers(status: int) -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.status, server.asked = status, 0  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def message_of_download(url: str, proxy: str) -> str:
    with pytest.raises(download.FetchError) as caught:
        download.fetch(url, proxy, 5)
    return f"{caught.value}: {caught.value.remedy}"


def message_of_registry(url: str, proxy: str) -> str:
    with pytest.raises(registry_http.RegistryError) as caught:
        registry_http.Client({"http": proxy, "https": proxy}, 5, (0, 0)).ask(url)
    return str(caught.value)


Asking = Callable[[str, str], str]
ask_both = pytest.mark.parametrize("ask", [message_of_download, message_of_registry])
both_schemes = pytest.mark.parametrize("url", ["http://server.example/", "https://server.example/"])


@ask_both
@both_schemes
def test_a_proxy_that_requires_a_password_is_reported(ask: Asking, url: str) -> None:
    with proxy_that_answers(407) as server:
        address = f"127.0.0.1:{server.server_port}"
        message = ask(url, f"http://{address}")
        assert f"the proxy {address} requires a user and password (HTTP 407)" in message
        assert f"write http://user:password@{address} in docker_engine_proxy" in message
        assert server.asked == 1  # type: ignore[attr-defined]


@ask_both
@both_schemes
def test_a_wrong_password_is_reported_by_user_and_not_retried(ask: Asking, url: str) -> None:
    with proxy_that_answers(407) as server:
        message = ask(url, f"http://alice:geheim@127.0.0.1:{server.server_port}")
        assert "rejects user alice (HTTP 407)" in message
        assert "correct the user and password in docker_engine_proxy" in message
        assert "geheim" not in message
        assert server.asked == 1  # type: ignore[attr-defined]


@ask_both
@pytest.mark.parametrize("userinfo", ["geheim", "geheim:"])
def test_a_token_in_place_of_the_user_is_not_revealed(ask: Asking, userinfo: str) -> None:
    with proxy_that_answers(407) as server:
        message = ask("https://server.example/", f"http://{userinfo}@127.0.0.1:{server.server_port}")
    assert "rejects the token (HTTP 407)" in message
    assert "geheim" not in message


@ask_both
def test_a_host_that_the_proxy_denies_is_named(ask: Asking) -> None:
    with proxy_that_answers(403) as server:
        message = ask("https://server.example/", f"http://alice:geheim@127.0.0.1:{server.server_port}")
    assert "does not allow server.example (HTTP 403)" in message
    assert "allow server.example on the proxy, or add it to no_proxy in docker_engine_proxy" in message
    assert "geheim" not in message


@ask_both
@both_schemes
@pytest.mark.parametrize("where", ["127.0.0.1:1", "absent.invalid:3128"])
def test_a_proxy_that_does_not_answer_is_blamed_rather_than_the_server(ask: Asking, url: str, where: str) -> None:
    message = ask(url, f"http://alice:geheim@{where}")
    assert f"the proxy {where} does not answer" in message
    assert "correct docker_engine_proxy" in message
    assert "geheim" not in message


@ask_both
def test_a_server_that_the_proxy_cannot_find_is_not_blamed_on_the_proxy(ask: Asking) -> None:
    with proxy_that_answers(503) as server:
        message = ask("https://server.example/", f"http://127.0.0.1:{server.server_port}")
    assert "503" in message
    assert "the proxy 127" not in message
