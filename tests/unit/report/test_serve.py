# SPDX-License-Identifier: Apache-2.0
"""The command slipway-report, with a real browser's requests by http.client."""

import http.client
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import report_files, report_model, report_page

from slipway.report import runs, server
from tests.support import fleet_answers as fleet

PROGRAM = str(Path(sys.prefix) / "bin/slipway-report")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    report_files.prepare(folder)
    for minute in range(40):
        report = fleet.report(1 + minute % 2)
        texts = {"index.html": report_page.page(report), "report.json": report_model.text(report), "junit.xml": "<x/>"}
        report_files.write(folder, texts, f"2026-11-30T01:{minute:02d}:00Z", 35)
    (folder / "secret").write_text("mine")
    return folder


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port=0", f"--path={folder}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    found = re.match(r"http://127\.0\.0\.1:([0-9]+)/ shows ", process.stdout.readline())
    assert found
    yield int(found[1])
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stdout.read() == ""


def ask(port: int, path: str, method: str = "GET", host: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{port}"})
    response = connection.getresponse()
    return response.status, response.read().decode(), response.headers


def test_the_last_report_is_shown_with_the_last_thirty_runs_to_choose_from(port: int, folder: Path) -> None:
    status, page, headers = ask(port, "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    found = re.findall(r'<option value="(2026[^"]*)"', page)
    assert len(found) == 30
    assert found == runs.names(folder)
    assert found[0] == "20261130T013900Z"
    assert "2026-11-30 01:39:00 UTC" in page


def test_an_earlier_run_is_shown_when_it_is_chosen(port: int, folder: Path) -> None:
    status, page, _ = ask(port, "/?run=20261130T013000Z")
    assert status == 200
    assert '<option value="20261130T013000Z" selected>' in page
    _, data, headers = ask(port, "/report.json?run=20261130T013000Z")
    assert data == (folder / "runs/20261130T013000Z/report.json").read_text()
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "/secret",
        "/runs/20261130T013000Z/index.html",
        "/../secret",
        "/%2e%2e/secret",
        "/?run=../../etc",
        "/?run=..",
        "/?run=20261130T010000Z",
        "/index.html/",
        "/?run=%00",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    assert ask(port, path)[:2] == (404, "There is no such report.\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(port: int, method: str) -> None:
    assert ask(port, "/", method)[0] == 501


def test_head_has_no_body(port: int) -> None:
    status, body, headers = ask(port, "/", "HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) > 1000


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "127.0.0.2", "[::2]"]
)
def test_a_name_that_was_led_here_is_refused(port: int, name: str) -> None:
    """Fault: a page of another site leads its own name to the server. Outcome: the server refuses the request."""
    for host in (f"{name}:{port}", name or ":"):
        status, body, _ = ask(port, "/", host=host)
        assert (status, body) == (421, "This server answers to localhost only.\n")


def test_its_own_names_are_answered(port: int) -> None:
    for host in ("localhost", "LOCALHOST", "127.0.0.1", "[::1]"):
        assert ask(port, "/", host=f"{host}:{port}")[0] == 200
    assert ask(port, "/", host="localhost:1")[0] == 421


def test_it_listens_on_loopback_alone(port: int) -> None:
    sockets = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    addresses = re.findall(rf"\n\s*\d+: ([0-9A-F]+):{port:04X} \S+ 0A", sockets)
    assert addresses == ["0100007F"]


def refused(*arguments: str | Path) -> str:
    done = subprocess.run([PROGRAM, "serve", *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    return done.stderr


def test_what_cannot_be_served_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    assert f"slipway-report: {tmp_path} holds no report: make one with" in refused("--path", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        assert "(Address already in use): choose another with --port" in refused("--path", folder, "--port", number)
    assert "Port 70000 of 127.0.0.1 cannot be used" in refused("--path", folder, "--port", "70000")


def test_the_page_has_the_place_that_the_server_fills() -> None:
    assert server.PLACE.decode() == report_page.RUNS
    assert report_page.page(fleet.report(1)).count(report_page.RUNS) == 1
    for name in ("20261130T014500Z", "20261130T014500Z-2"):
        assert runs.RUN.match(name)
        assert report_files.RUN.match(name)
