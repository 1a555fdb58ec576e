# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.registry import keychain as registry_keychain
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY

USER = pwd.getpwuid(os.geteuid()).pw_name
AUTH = base64.b64encode(b"me:s3cret-word").decode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    account = run_as.Account(USER, os.geteuid(), os.getegid(), str(tmp_path))
    monkeypatch.setattr(registry_keychain, "find_account", lambda name: account)
    (tmp_path / ".docker").mkdir()
    return tmp_path


def keychain(home: Path, config: dict[str, Any]) -> Any:
    (home / ".docker/config.json").write_text(json.dumps(config))
    return registry_keychain.Keychain(USER)


def test_without_a_file_pulls_are_anonymous(home: Path) -> None:
    assert registry_keychain.Keychain(USER).credentials_for(HUB_KEY) == {}


def test_an_entry_is_found_in_any_spelling_of_the_registry(home: Path) -> None:
    found = keychain(home, {"auths": {"https://registry.example.com/v2/": {"auth": AUTH}}})
    wanted = {"username": "me", "password": "s3cret-word", "serveraddress": "registry.example.com"}
    assert found.credentials_for("registry.example.com") == wanted
    assert found.credentials_for("other.example.com") == {}
    assert found.credentials_by_registry({"registry.example.com", "other.example.com"}) == {
        "registry.example.com": wanted
    }


def test_other_spellings_of_docker_hub_are_ignored_as_by_docker(home: Path) -> None:
    found = keychain(home, {"auths": {"docker.io": {"auth": AUTH}}})
    assert found.credentials_for(HUB_KEY) == {}


def test_an_identity_token_is_returned_and_redacted(home: Path) -> None:
    found = keychain(home, {"auths": {"r.example.com": {"auth": "bWU6", "identitytoken": "t0ken-t0ken"}}})
    assert found.credentials_for("r.example.com")["identitytoken"] == "t0ken-t0ken"
    assert found.hide("no: t0ken-t0ken") == "no: ********"


@pytest.mark.parametrize(("user", "field"), [("me", "password"), ("<token>", "identitytoken")])
def test_credentials_of_a_helper_are_returned_and_redacted(
    home: Path, monkeypatch: pytest.MonkeyPatch, user: str, field: str
) -> None:
    helper = home / "docker-credential-lab"
    helper.write_text(f"#!/bin/sh\necho '{json.dumps({'Username': user, 'Secret': 's3cret-word'})}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=os.pathsep)
    found = keychain(home, {"credHelpers": {"r.example.com": "lab"}})
    assert found.credentials_for("r.example.com")[field] == "s3cret-word"
    assert "s3cret-word" not in found.hide(f"denied: s3cret-word {AUTH}")


def test_a_missing_helper_is_named(home: Path) -> None:
    found = keychain(home, {"credsStore": "absent"})
    with pytest.raises(registry_keychain.CredentialsError, match="docker-credential-absent is not installed"):
        found.credentials_for(HUB_KEY)


def test_an_invalid_file_is_an_error(home: Path) -> None:
    (home / ".docker/config.json").write_text("{")
    with pytest.raises(registry_keychain.CredentialsError, match="not valid JSON"):
        registry_keychain.Keychain(USER)


def test_an_entry_with_user_and_password_and_without_auth_is_used_as_by_docker(home: Path) -> None:
    """Fault: an entry of `config.json` has username and password and no auth. Outcome: they are used, as by docker."""
    found = keychain(home, {"auths": {"r.example.com": {"username": "me", "password": "s3cret-word"}}})
    assert found.credentials_for("r.example.com") == {
        "username": "me",
        "password": "s3cret-word",
        "serveraddress": "r.example.com",
    }
    assert found.hide(f"s3cret-word {AUTH}") == "******** ********"


@pytest.mark.parametrize("entry", [{"auth": "?s3cret"}, {"auth": 5}, {"identitytoken": 5}, {"auth": "bWU6/w=="}])
def test_invalid_credentials_of_a_registry_are_named_and_stop_no_other(home: Path, entry: dict[str, object]) -> None:
    """Fault: the entry of one registry in `config.json` is invalid. Outcome: it is named; other registries work."""
    found = keychain(home, {"auths": {"bad.example.com": entry, "r.example.com": {"auth": AUTH}}})
    with pytest.raises(
        registry_keychain.CredentialsError, match=r"the credentials of bad.example.com are not"
    ) as caught:
        found.credentials_for("bad.example.com")
    assert "s3cret" not in str(caught.value)
    assert found.credentials_for("r.example.com")["username"] == "me"


@pytest.mark.parametrize("helper", ["absent", "../x", "failing", "newline", "silent"])
def test_only_registries_that_are_needed_can_stop_a_build(
    home: Path, monkeypatch: pytest.MonkeyPatch, helper: str
) -> None:
    """Fault: `config.json` names a missing or failing helper for a registry that no image needs. Outcome: a warning."""
    for name, text in {
        "failing": "echo locked; exit 1",
        "newline": """echo '{"Username": "me", "Secret": "a\\nb"}'""",
        "silent": "exit 1",
    }.items():
        program = home / f"docker-credential-{name}"
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=os.pathsep)
    config = {"auths": {"r.example.com": {"auth": AUTH}}, "credHelpers": {"other.example.com": helper}}
    found = keychain(home, config)
    assert found.credentials_by_registry({"r.example.com"}, found.registries()).keys() == {"r.example.com"}
    assert found.credentials_by_registry({"r.example.com"}, found.registries()).keys() == {"r.example.com"}
    (warning,) = found.warnings()
    assert warning.startswith("No image that is pulled or built names the registry other.example.com")
    assert "remove other.example.com from credHelpers in" in warning
    with pytest.raises(
        registry_keychain.CredentialsError, match=r"credentials of other.example.com: .*docker-credential-"
    ):
        found.credentials_by_registry({"other.example.com"}, found.registries())


def test_a_line_break_in_a_helper_s_token_is_refused_and_one_in_a_json_key_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: a credential helper returns a token with a line break. Outcome: refused."""
    for name, secret in {"token": "s3cret\n", "key": '{\n"type": "service_account"\n}'}.items():
        (home / name).write_text(json.dumps({"Username": "me", "Secret": secret}))
        program = home / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\ncat {home}/{name}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=os.pathsep)
    found = keychain(home, {"credHelpers": {"one.example.com": "token", "two.example.com": "key"}})
    with pytest.raises(registry_keychain.CredentialsError, match="get returned a line break or another") as caught:
        found.credentials_for("one.example.com")
    assert "s3cret" not in str(caught.value)
    assert "service_account" in found.credentials_for("two.example.com")["password"]


def test_a_helper_gets_the_proxy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home / "docker-credential-env"
    program.write_text('#!/bin/sh\necho "{\\"Username\\": \\"me\\", \\"Secret\\": \\"$HTTPS_PROXY\\"}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=os.pathsep)
    (home / ".docker/config.json").write_text('{"credsStore": "env"}')
    found = registry_keychain.Keychain(USER, {"https": "http://proxy.example.com:3128"})
    assert found.credentials_for("r.example.com")["password"] == "http://proxy.example.com:3128"
