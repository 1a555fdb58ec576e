# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api

ANSWERS = {"/_ping": b"OK", "/version": json.dumps({"ApiVersion": "1.45", "Version": "26.1.5"}).encode()}

STREAMS = {"/good": ['{"stream": "1"}', "", '{"stream": "2"}'], "/bad": ['{"stream": "1"}', '{"error": "no space"}']}


class Engine(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = ANSWERS.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        lines = STREAMS.get(self.path, [json.dumps({"message": f"no such image {sent}"})])
        self.send_response(200 if self.path in STREAMS else 404)
        self.end_headers()
        self.wfile.write("\r\n".join(lines).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test output quiet."""


class UnixServer(socketserver.ThreadingUnixStreamServer):
    def get_request(self) -> tuple[object, tuple[str, int]]:  # type: ignore[override]  # the handler wants an address
        return super().get_request()[0], ("unix", 0)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "docker.sock")
    with UnixServer(path, Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path
        server.shutdown()


def test_a_running_engine_answers(engine: str) -> None:
    assert engine_api.ping(engine)
    assert engine_api.get_json(engine, "/version")["Version"] == "26.1.5"


def test_an_error_status_gives_an_empty_dict(engine: str) -> None:
    assert engine_api.get_json(engine, "/absent") == {}


@pytest.mark.parametrize("body", [b"\xff", b"0" * 99])
def test_an_answer_without_an_end_or_in_no_text_is_none(
    engine: str, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """Fault: what listens at the socket of a user's engine answers with no end, or with no text. Outcome: no answer."""
    monkeypatch.setattr(engine_api, "LARGEST_ANSWER", 90)
    monkeypatch.setitem(ANSWERS, "/strange", body)
    assert engine_api.get(engine, "/strange", 5) is None


def test_without_a_socket_there_is_no_answer(tmp_path: Path) -> None:
    assert not engine_api.ping(str(tmp_path / "absent"))


def test_a_silent_socket_is_a_timeout(tmp_path: Path) -> None:
    with socketserver.UnixStreamServer(str(tmp_path / "silent"), socketserver.BaseRequestHandler):
        assert not engine_api.ping(str(tmp_path / "silent"), timeout=0.05)


def test_messages_are_yielded_one_by_one(engine: str) -> None:
    assert [message for message in engine_api.post(engine, "/good") if message] == [{"stream": "1"}, {"stream": "2"}]


def test_an_error_message_in_a_successful_response_is_an_error(engine: str) -> None:
    with pytest.raises(engine_api.EngineError, match="no space"):
        list(engine_api.post(engine, "/bad"))


def test_an_error_response_is_reported_with_the_message_of_the_engine(engine: str) -> None:
    with pytest.raises(engine_api.EngineError, match="no such image of ours"):
        list(engine_api.post(engine, "/absent", body="of ours"))


def test_a_failed_connection_names_the_socket(tmp_path: Path) -> None:
    with pytest.raises(engine_api.EngineError, match=r"the engine at .*docker\.sock failed"):
        list(engine_api.post(str(tmp_path / "docker.sock"), "/good"))


def test_waiting_ends_when_the_condition_holds_or_time_is_up() -> None:
    answers = iter([False, True])
    assert engine_api.wait_until(lambda: next(answers), timeout=5)
    assert not engine_api.wait_until(lambda: False, timeout=0)
