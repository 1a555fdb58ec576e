# SPDX-License-Identifier: Apache-2.0
"""LAB=auto|online|offline."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from slipway.lab import setting
from slipway.lab.errors import LabError


@pytest.fixture
def refusing_server() -> Iterator[str]:
    """A server that answers every request with an error, like a registry that requires a login."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("word", ["online", "offline"])
def test_an_explicit_setting_is_not_probed(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting, "NEEDED_ONLINE", ("not even a URL",))
    assert setting.choose(word) == word


def test_auto_is_online_if_the_servers_answer_even_with_errors(
    refusing_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setting, "NEEDED_ONLINE", (refusing_server,))
    assert setting.choose("auto") is setting.Setting.ONLINE
    assert "online" in capsys.readouterr().out


def test_auto_is_offline_and_names_an_unreachable_server(
    refusing_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setting, "NEEDED_ONLINE", (refusing_server, "http://127.0.0.1:9/"))
    assert setting.choose("auto") is setting.Setting.OFFLINE
    assert "http://127.0.0.1:9/" in capsys.readouterr().out


def test_an_unknown_value_is_rejected_with_the_valid_ones() -> None:
    with pytest.raises(LabError, match=r"LAB=on is not .* LAB=auto, LAB=online or LAB=offline"):
        setting.choose("on")
