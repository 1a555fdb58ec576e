# SPDX-License-Identifier: Apache-2.0
"""What engines say of registries, as they said it, and what a person is told."""

import json
from pathlib import Path

import docker
import pytest
from docker.errors import APIError

from slipway.images.errors import ImageError
from slipway.images.registry import Denied, NotThere, Unreachable, log_in, told_apart

SAID = {
    'Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused': Unreachable,
    'Get "https://r.example.com/v2/": dial tcp: lookup r.example.com on 10.0.2.3:53: no such host': Unreachable,
    'Get "https://r.example.com/v2/": net/http: TLS handshake timeout': Unreachable,
    'Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client': Unreachable,
    'Get "https://r.example.com/v2/": x509: certificate signed by unknown authority': Unreachable,
    # A name is no verdict.
    'Get "https://r.example.com/v2/team/denied/manifests/unauthorized": dial tcp: i/o timeout': Unreachable,
    'Get "http://127.0.0.1:5099/v2/": unauthorized: authentication required': Denied,
    'Get "https://registry-1.docker.io/v2/": unauthorized: incorrect username or password': Denied,
    "denied: x509-timeout: requested access to the resource is denied": Denied,
    "no basic auth credentials": Denied,
    "manifest unknown: manifest unknown": NotThere,
    "name unknown: repository name not known to registry": NotThere,
}


@pytest.mark.parametrize(("said", "kind"), SAID.items())
def test_unreachable_denied_and_not_there_are_told_apart(said: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised, told_apart("r.example.com", "ci"):
        raise APIError("500 Server Error", explanation=said)
    assert said in str(raised.value)
    assert "r.example.com" in str(raised.value)


def test_who_is_denied_is_told_with_the_account() -> None:
    with pytest.raises(Denied, match="denies the account ci: no basic auth credentials"), told_apart("r", "ci"):
        raise APIError("", explanation="no basic auth credentials")
    with pytest.raises(Denied, match="denies a stranger"), told_apart("r", None):
        raise APIError("", explanation="no basic auth credentials")


def test_a_credential_helper_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"r.example.com": "nonsense"}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    nowhere = docker.DockerClient(base_url="unix:///nonexistent.sock", version="1.41")
    unreadable = r"login for r\.example\.com cannot be read: .*docker-credential-nonsense"
    with pytest.warns(UserWarning, match="nonsense"), pytest.raises(ImageError, match=unreadable):
        log_in(nowhere, "r.example.com", None)
