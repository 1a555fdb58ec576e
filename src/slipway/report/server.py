# SPDX-License-Identifier: Apache-2.0
"""Serves reports on the loopback interface, read-only. It is not made for other networks: it knows no users."""

import socket
from collections.abc import Callable
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from slipway.report import runs

# Where the page has room for the choice of runs: RUNS of plugins/plugin_utils/report_page.py.
PLACE = b"<!--runs-->"
TYPES = {"html": "text/html; charset=utf-8", "json": "application/json", "xml": "application/xml"}
# A page of another site may have its name lead to this address (DNS rebinding); its requests carry that name.
OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for the three files of a run."""

    server_version, sys_version = "slipway-report", ""
    timeout = 10

    server: "Server"

    def __init__(self, *arguments: object, folder: Path) -> None:
        self.folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        if self._is_foreign():
            self._answer(421, b"This server answers to localhost only.\n", "text/plain")
            return
        url = urlsplit(self.path)
        name = runs.FILES.get(url.path)
        run = parse_qs(url.query).get("run", [""])[0]
        known = runs.names(self.folder)
        if name is None or (run and run not in known):
            self._answer(404, b"There is no such report.\n", "text/plain")
            return
        try:
            body = runs.read(self.folder, run, name)
        except OSError as error:
            self._answer(404, f"{name} cannot be read ({error.strerror}).\n".encode(), "text/plain")
            return
        if name == "index.html":
            body = body.replace(PLACE, choice(known, run).encode(), 1)
        self._answer(200, body, TYPES[name.rpartition(".")[2]])

    do_HEAD = do_GET

    def _is_foreign(self) -> bool:
        host, _, port = self.headers.get("Host", "").rpartition(":")
        return host.lower() not in OWN_NAMES or port != str(self.server.server_port)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: requests of a loopback server are no news."""


def choice(known: list[str], chosen: str) -> str:
    """Return the form that chooses among the runs."""
    options = "".join(
        f'<option value="{escape(name)}"{" selected" if name == chosen else ""}>{escape(runs.title(name))}</option>'
        for name in known
    )
    return (
        '<nav aria-label="Runs"><form method="get" action="/"><label>Run <select name="run">'
        f'<option value="">the last one</option>{options}</select></label> <button>Show</button></form></nav>'
    )


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing when a browser hangs up."""


def create(folder: Path, port: int) -> Server:
    """Return a server on 127.0.0.1 that listens; port 0 takes a free one. Raises ReportError."""
    runs.require(folder)
    handler: Callable[..., Handler] = partial(Handler, folder=folder)
    try:
        return Server(("127.0.0.1", port), handler)
    except (OSError, OverflowError, socket.gaierror) as error:
        raise runs.ReportError(
            f"Port {port} of 127.0.0.1 cannot be used ({getattr(error, 'strerror', None) or error}): "
            "choose another with --port, or 0 for any."
        ) from error
