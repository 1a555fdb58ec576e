# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import download


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers with the requested URL and the credentials it received."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write("{} {}".format(self.path, self.headers["Proxy-Authorization"]).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Do not log requests."""


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Do not log requests."""


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


def test_a_file_is_downloaded(files: str) -> None:
    assert download.fetch(f"http://{files}/key", None, 5) == b"the key"


def test_the_proxy_receives_its_credentials(proxy: str) -> None:
    answer = download.fetch("http://repository.example/key", f"http://me:p%40ss@{proxy}", 5).decode()
    credentials = base64.b64encode(b"me:p@ss").decode()
    assert answer == f"http://repository.example/key Basic {credentials}"


class Login(Files):
    """Serves files to me with the password p@ss, and redirects others to a server that tells what it received."""

    elsewhere = ""
    scheme = "http"

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", f"{self.scheme}://{self.elsewhere}/")
            self.end_headers()
        elif self.headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode():
            super().do_GET()
        else:
            self.send_error(401)


class Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers["Authorization"]).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Do not log requests."""


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "key").write_text("the key")
    told = serve(Told)
    monkeypatch.setattr(Login, "elsewhere", next(told))
    yield from serve(functools.partial(Login, directory=str(tmp_path)))
    next(told, None)


def test_credentials_in_a_url_are_sent_to_its_server_alone(login: str) -> None:
    """Fault: the repository or its key needs a user and a password. Outcome: those in the URL are used, and reach
    neither the log of dnf nor another server.
    """
    assert download.fetch(f"http://me:p%40ss@{login}/key", None, 5) == b"the key"
    assert download.fetch(f"http://me:p%40ss@{login}/moved", None, 5) == b"None"
    with pytest.raises(download.FetchError, match="HTTP 401"):
        download.fetch(f"http://{login}/key", None, 5)


@pytest.mark.parametrize("userinfo", ["user:s3cretpw", "s3cretpw", "s3cretpw:", "user:s3cret/pw"])
def test_no_failure_reveals_credentials_in_a_url(userinfo: str) -> None:
    with pytest.raises(download.FetchError) as caught:
        download.fetch(f"https://{userinfo}@127.0.0.1:1/", None, 5)
    assert "s3cret" not in str(caught.value) + caught.value.remedy
    assert ("percent-encoded" in str(caught.value)) == ("/" in userinfo)


@pytest.mark.parametrize(
    "url",
    [
        "http://mirror:port/",
        "http://mirror:99999/",
        "http://a b/",
        "http://{0}/absent",
        "http://127.0.0.1:1/",
        "nonsense",
    ],
)
def test_every_failure_is_a_fetch_error_with_a_reason(files: str, url: str) -> None:
    with pytest.raises(download.FetchError, match=r"\w"):
        download.fetch(url.format(files), None, 5)


def test_an_address_that_is_no_url_is_not_blamed_on_the_proxy() -> None:
    """Fault: an IPv6 address lacks its closing bracket, and a proxy is set. Outcome: that is said."""
    with pytest.raises(download.FetchError, match="Invalid IPv6 URL"):
        download.fetch("http://[::1/gpg", "http://proxy.example.com:3128", 1)


@pytest.mark.parametrize("url", ["ftp://mirror.example/key", "FTP://mirror.example/key", "data:,the%20key"])
@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1"])
def test_another_scheme_is_refused(url: str, proxy: str | None) -> None:
    """Fault: a repository or a key has an `ftp:` or `data:` address. Outcome: refused for its scheme."""
    with pytest.raises(download.FetchError) as caught:
        download.fetch(url, proxy, 5)
    assert str(caught.value) == f"its scheme is {url.partition(':')[0].lower()}"
    assert caught.value.remedy == "use an address of http, https, file"


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1"])
def test_a_repository_may_be_on_a_disk(tmp_path: Path, proxy: str | None) -> None:
    (tmp_path / "key").write_text("the key")
    assert download.fetch(f"file://{tmp_path}/key", proxy, 5) == b"the key"


def test_a_redirection_to_another_scheme_is_not_followed(login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python itself follows one to ftp."""
    monkeypatch.setattr(Login, "scheme", "ftp")
    with pytest.raises(download.FetchError, match="unknown url type: ftp"):
        download.fetch(f"http://{login}/moved", None, 5)
