# SPDX-License-Identifier: Apache-2.0
"""Classification of real error messages of engines about registries."""

import base64
import json
import warnings
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from slipway.images import logins
from slipway.images.errors import ImageError
from slipway.images.registry import Denied, NotFound, Unreachable, classify_errors, log_in

MESSAGES = {
    'Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused': Unreachable,
    'Get "https://r.example.com/v2/": dial tcp: lookup r.example.com on 10.0.2.3:53: no such host': Unreachable,
    'Get "https://r.example.com/v2/": net/http: TLS handshake timeout': Unreachable,
    'Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client': Unreachable,
    'Get "https://r.example.com/v2/": x509: certificate signed by unknown authority': Unreachable,
    # "denied" and "unauthorized" are part of the image name.
    'Get "https://r.example.com/v2/team/denied/manifests/unauthorized": dial tcp: i/o timeout': Unreachable,
    'Get "http://127.0.0.1:5099/v2/": unauthorized: authentication required': Denied,
    'Get "https://registry-1.docker.io/v2/": unauthorized: incorrect username or password': Denied,
    "denied: x509-timeout: requested access to the resource is denied": Denied,
    "no basic auth credentials": Denied,
    "manifest unknown: manifest unknown": NotFound,
    "name unknown: repository name not known to registry": NotFound,
}


@pytest.mark.parametrize(("message", "kind"), MESSAGES.items())
def test_unreachable_denied_and_not_found_are_distinguished(message: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised, classify_errors("r.example.com", "ci"):
        raise APIError("500 Server Error", explanation=message)
    assert message in str(raised.value)
    assert "r.example.com" in str(raised.value)


def test_a_denial_names_the_account() -> None:
    with pytest.raises(Denied, match="denies the account ci: no basic auth credentials"), classify_errors("r", "ci"):
        raise APIError("", explanation="no basic auth credentials")
    with pytest.raises(Denied, match="denies anonymous access"), classify_errors("r", None):
        raise APIError("", explanation="no basic auth credentials")


def test_a_missing_credential_helper_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"r.example.com": "nonsense"}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    nowhere: Any = docker.DockerClient(base_url="unix:///nonexistent.sock", version="1.41")
    unreadable = r"login for r\.example\.com cannot be read: .*docker-credential-nonsense"
    with pytest.warns(UserWarning, match="nonsense"), pytest.raises(ImageError, match=unreadable):
        log_in(nowhere, "r.example.com", None)


def test_a_login_with_username_and_password_and_without_auth_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "auths": {"https://r.example.com/v2/": {"username": "me", "password": "s3cret-word"}, "one": {}, "two": 5}
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert logins.plain_login("r.example.com")["username"] == "me"
    assert logins.plain_login("one") == logins.plain_login("two") == {}


@pytest.mark.parametrize("config", [{"credHelpers": {"r.example.com": "nonsense"}}, {"credsStore": "nonsense"}])
def test_unreadable_logins_do_not_stop_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, object]
) -> None:
    """Images are built all the same, and the login that was left out is named."""
    login = {"auth": "bWU6d29yZA=="}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"one.example.com": login}, **config}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    nowhere: Any = docker.DockerClient(base_url="unix:///nonexistent.sock", version="1.41")
    reported: list[str] = []
    logins.keep_unreadable_out(nowhere, reported.append)
    headers: dict[str, str] = {}
    api: Any = nowhere.api
    with warnings.catch_warnings(action="ignore"):
        api._set_auth_headers(headers)
    sent = json.loads(base64.urlsafe_b64decode(headers["X-Registry-Config"]))
    assert sent.keys() == {"one.example.com"}
    (reason,) = reported
    assert "nonsense" in reason
    assert "left out" in reason


@pytest.mark.parametrize("auths", [{"r.example.com": {"auth": "?"}}, {"r.example.com": {"auth": "bWU="}}, {"x": 5}])
def test_a_login_that_is_invalid_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auths: dict[str, object]
) -> None:
    nowhere: Any = docker.DockerClient(base_url="unix:///nonexistent.sock", version="1.41")
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(ImageError, match=r"login for r\.example\.com cannot be read"):
        log_in(nowhere, "r.example.com", None)
