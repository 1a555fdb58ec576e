# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import web_fetch


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers with the address that it was asked for and the credentials that came with it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write("{} {}".format(self.path, self.headers["Proxy-Authorization"]).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing to tell."""


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing to tell."""


def serve(handler: object) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:  # type: ignore[arg-type]  # a partial
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def files(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "key").write_text("the key")
    yield from serve(functools.partial(Files, directory=str(tmp_path)))


@pytest.fixture
def proxy() -> Iterator[str]:
    yield from serve(Proxy)


def test_a_file_is_fetched(files: str) -> None:
    assert web_fetch.fetch(f"http://{files}/key", None, 5) == b"the key"


def test_the_proxy_is_asked_with_its_credentials(proxy: str) -> None:
    answer = web_fetch.fetch("http://repository.example/key", f"http://me:p%40ss@{proxy}", 5).decode()
    credentials = base64.b64encode(b"me:p@ss").decode()
    assert answer == f"http://repository.example/key Basic {credentials}"


@pytest.mark.parametrize("url", ["http://{0}/absent", "http://127.0.0.1:1/", "file:///absent", "nonsense"])
def test_every_failure_is_one_error_with_its_reason(files: str, url: str) -> None:
    with pytest.raises(web_fetch.FetchError, match=r"\w"):
        web_fetch.fetch(url.format(files), None, 5)
