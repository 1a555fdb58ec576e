# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import acting_as, pull_credentials
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import HUB_KEY

USER = pwd.getpwuid(os.geteuid()).pw_name
AUTH = base64.b64encode(b"me:s3cret-word").decode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    account = acting_as.Account(USER, os.geteuid(), os.getegid(), str(tmp_path))
    monkeypatch.setattr(pull_credentials, "find_account", lambda name: account)
    (tmp_path / ".docker").mkdir()
    return tmp_path


def keychain(home: Path, config: dict[str, Any]) -> Any:
    (home / ".docker/config.json").write_text(json.dumps(config))
    return pull_credentials.Keychain(USER)


def test_without_a_file_pulls_are_anonymous(home: Path) -> None:
    assert pull_credentials.Keychain(USER).of(HUB_KEY) == {}


def test_the_file_s_entry_of_the_registry_is_found_however_it_is_spelled(home: Path) -> None:
    found = keychain(home, {"auths": {"https://registry.example.com/v2/": {"auth": AUTH}}})
    wanted = {"username": "me", "password": "s3cret-word", "serveraddress": "registry.example.com"}
    assert found.of("registry.example.com") == wanted
    assert found.of("other.example.com") == {}
    assert found.of_registries({"registry.example.com", "other.example.com"}) == {"registry.example.com": wanted}


def test_another_spelling_of_the_hub_serves_no_pull_as_with_docker(home: Path) -> None:
    found = keychain(home, {"auths": {"docker.io": {"auth": AUTH}}})
    assert found.of(HUB_KEY) == {}


def test_an_identity_token_is_passed_on(home: Path) -> None:
    found = keychain(home, {"auths": {"r.example.com": {"auth": "bWU6", "identitytoken": "t0ken-t0ken"}}})
    assert found.of("r.example.com")["identitytoken"] == "t0ken-t0ken"
    assert found.hide("no: t0ken-t0ken") == "no: ********"


@pytest.mark.parametrize(("user", "field"), [("me", "password"), ("<token>", "identitytoken")])
def test_a_helper_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch, user: str, field: str) -> None:
    helper = home / "docker-credential-lab"
    helper.write_text(f"#!/bin/sh\necho '{json.dumps({'Username': user, 'Secret': 's3cret-word'})}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=os.pathsep)
    found = keychain(home, {"credHelpers": {"r.example.com": "lab"}})
    assert found.of("r.example.com")[field] == "s3cret-word"
    assert "s3cret-word" not in found.hide(f"denied: s3cret-word {AUTH}")


def test_a_missing_helper_is_named(home: Path) -> None:
    found = keychain(home, {"credsStore": "absent"})
    with pytest.raises(pull_credentials.CredentialsError, match="docker-credential-absent is not on this host"):
        found.of(HUB_KEY)


def test_a_broken_file_is_named(home: Path) -> None:
    (home / ".docker/config.json").write_text("{")
    with pytest.raises(pull_credentials.CredentialsError, match="not valid JSON"):
        pull_credentials.Keychain(USER)
