# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What users are told of a proxy that does not let them through, in the words of each program that asks it."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import registry_http, web_fetch


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers whatever it is asked with the status that its server is to give."""

    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]  # a server of our own
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    do_CONNECT = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing to tell."""


@contextmanager
def proxy_that_answers(status: int) -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.status, server.asked = status, 0  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def told_by_web_fetch(url: str, proxy: str) -> str:
    with pytest.raises(web_fetch.FetchError) as caught:
        web_fetch.fetch(url, proxy, 5)
    return f"{caught.value}: {caught.value.remedy}"


def told_by_registry(url: str, proxy: str) -> str:
    with pytest.raises(registry_http.RegistryError) as caught:
        registry_http.Client({"http": proxy, "https": proxy}, 5, (0, 0)).ask(url)
    return str(caught.value)


Asking = Callable[[str, str], str]
ask_both = pytest.mark.parametrize("told", [told_by_web_fetch, told_by_registry])
both_schemes = pytest.mark.parametrize("url", ["http://server.example/", "https://server.example/"])


@ask_both
@both_schemes
def test_a_proxy_that_wants_a_password_is_said_to(told: Asking, url: str) -> None:
    with proxy_that_answers(407) as server:
        address = f"127.0.0.1:{server.server_port}"
        message = told(url, f"http://{address}")
        assert f"the proxy {address} wants a user and a password (HTTP 407)" in message
        assert f"write http://user:password@{address} in docker_engine_proxy" in message
        assert server.asked == 1  # type: ignore[attr-defined]


@ask_both
@both_schemes
def test_a_wrong_password_is_told_by_its_user_and_not_tried_again(told: Asking, url: str) -> None:
    with proxy_that_answers(407) as server:
        message = told(url, f"http://alice:geheim@127.0.0.1:{server.server_port}")
        assert "refuses user alice (HTTP 407)" in message
        assert "correct user and password in docker_engine_proxy" in message
        assert "geheim" not in message
        assert server.asked == 1  # type: ignore[attr-defined]


@ask_both
def test_a_host_that_the_proxy_does_not_allow_is_named(told: Asking) -> None:
    with proxy_that_answers(403) as server:
        message = told("https://server.example/", f"http://alice:geheim@127.0.0.1:{server.server_port}")
    assert "does not allow server.example (HTTP 403)" in message
    assert "have server.example allowed there, or add it to no_proxy of docker_engine_proxy" in message
    assert "geheim" not in message


@ask_both
@both_schemes
@pytest.mark.parametrize("where", ["127.0.0.1:1", "absent.invalid:3128"])
def test_a_proxy_that_does_not_answer_is_to_blame_and_not_the_server(told: Asking, url: str, where: str) -> None:
    message = told(url, f"http://alice:geheim@{where}")
    assert f"the proxy {where} does not answer" in message
    assert "correct docker_engine_proxy" in message
    assert "geheim" not in message


@ask_both
def test_a_server_that_the_proxy_does_not_find_is_not_the_proxy_s_fault(told: Asking) -> None:
    with proxy_that_answers(503) as server:
        message = told("https://server.example/", f"http://127.0.0.1:{server.server_port}")
    assert "503" in message
    assert "the proxy 127" not in message
