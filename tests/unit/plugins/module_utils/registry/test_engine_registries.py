# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What is read of the engine's daemon.json."""

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.registry import engine_registries
from ansible_collections.slipway.platform.plugins.module_utils.registry import logins as registry_logins
from ansible_collections.slipway.platform.plugins.modules import docker_login

PROXY = "http://me:s3cretpw@proxy.example:3128"


@pytest.mark.parametrize(
    ("configured", "meant"),
    [
        ({"https-proxy": PROXY}, {"https": PROXY, "no_proxy": ""}),
        ({"http-proxy": PROXY, "no-proxy": "10.0.0.0/8"}, {"http": PROXY, "no_proxy": "10.0.0.0/8"}),
        ({"no-proxy": "*"}, {}),
        ({"https-proxy": "nonsense"}, {}),
        ({"https-proxy": 7, "no-proxy": ["a"]}, {}),
        (None, {}),
        ([PROXY], {}),
    ],
)
def test_the_engine_s_own_proxies_are_read(configured: object, meant: dict[str, str]) -> None:
    assert engine_registries.proxies({"proxies": configured}) == meant


class Proxy(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_error(403)

    def log_message(self, format: str, *arguments: object) -> None:
        """Do not log requests."""


@pytest.fixture
def proxy() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("elsewhere", ["nowhere", "play", "environment"])
def test_a_login_is_verified_through_the_engine_s_proxy(
    tmp_path: Path,
    proxy: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    elsewhere: str,
) -> None:
    """Fault: only `proxies` in `daemon.json` names the proxy. Outcome: logins are verified through it, as pulls go."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(Proxy, "asked", [])
    account = run_as.Account("me", os.geteuid(), os.getegid(), str(tmp_path))
    monkeypatch.setattr(registry_logins.resolve, "__defaults__", (lambda name: account,))
    dead = "http://127.0.0.1:9"
    if elsewhere == "environment":
        monkeypatch.setenv("https_proxy", dead)
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({"proxies": {"https-proxy": f"http://me:s3cretpw@{proxy}"}}))
    parameters = {
        "logins": [{"registry": "registry.example", "username": "me", "password": "dckr_pat_x"}],
        "daemon_config": str(path),
        "proxy": {"https": dead} if elsewhere == "play" else {},
        "baking": False,  # a user's machine may look like a chroot
        "timeout": 5,
        "_ansible_check_mode": True,
    }
    with patch_module_args(parameters), pytest.raises(SystemExit):
        docker_login.main()
    printed = capsys.readouterr().out
    assert "s3cretpw" not in printed
    message = json.loads(printed)["msg"]
    assert "registry.example cannot be reached" in message
    if elsewhere == "nowhere":
        assert Proxy.asked == ["registry.example:443"]
        assert "add it to no_proxy in proxies in docker_engine_daemon_options" in message
    else:
        assert Proxy.asked == []
        assert "proxies in docker_engine_daemon_options" not in message
