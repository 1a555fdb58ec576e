# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""No config.json, registry address or login gives a traceback, an empty message, a secret or a file that lost anything.

The first examples are inputs that did, here or elsewhere.
"""

import base64
import json
import os
import pwd
import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.module.guarded_module import GuardedModule
from ansible_collections.slipway.platform.plugins.module_utils.registry import config_json, credential_helpers
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http
from ansible_collections.slipway.platform.plugins.module_utils.registry import keychain as registry_keychain
from ansible_collections.slipway.platform.plugins.module_utils.registry import logins as registry_logins
from ansible_collections.slipway.platform.plugins.modules import docker_login
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

USER = pwd.getpwuid(os.geteuid()).pw_name
SECRET = "s3cret-Word"
AUTH = base64.b64encode(f"me:{SECRET}".encode()).decode()
HUB = "https://index.docker.io/v1/"

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([SECRET, AUTH, "absent", ""])
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
KEYS = st.sampled_from([HUB, "docker.io", "one.example", "https://One.example/v1/", "..", "", "\ud800"]) | st.text()
ENTRIES = JSON | st.dictionaries(
    st.sampled_from(["auth", "username", "password", "identitytoken", "registrytoken", "email"]), JSON | st.just(AUTH)
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "auths": JSON | st.dictionaries(KEYS, ENTRIES, max_size=3),
        "credHelpers": JSON | st.dictionaries(KEYS, LEAVES, max_size=3),
        "credsStore": LEAVES,
        "HttpHeaders": JSON,
        "unknown": JSON,
    },
)
FILES = st.binary() | JSON.map(json.dumps).map(str.encode) | CONFIGS.map(json.dumps).map(str.encode)
PLAIN = st.text(string.ascii_letters + string.digits + ".:-_/@[]*% ", max_size=80)
LOGINS = st.fixed_dictionaries(
    {},
    optional={
        "registry": KEYS | PLAIN | LEAVES,
        "username": st.text() | LEAVES,
        "password": st.text() | LEAVES | JSON,
        "state": st.sampled_from(["present", "absent"]),
        "helper": st.text() | LEAVES,
        "verify": st.booleans() | st.none(),
    },
)
UNREADABLE = [
    b"",
    b" \n\t",
    b"[]",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 5000,
    b'{"x": ' * 300 + b"1" + b"}" * 300,
    b'{"x": 1e400}',
    b'{"auths": {"one.example": {"auth": "?"}}, "auths": {}}',
    b'{"auths": {"\\ud800": {"auth": "\\ud800"}}, "credsStore": "\\ud800"}',
    b'{"credHelpers": {"one.example": "../x", "docker.io": ""}}',
    b'{"credsStore": "desktop"}',
    json.dumps({"auths": {HUB: {"username": "me", "password": SECRET}}}).encode(),
]
INVALID: list[dict[str, Any]] = [
    {"registry": "registry..example.com", "username": "me", "password": SECRET},
    {"registry": "a" * 64, "username": "me", "password": SECRET},
    {"registry": "*", "helper": "desktop", "state": "absent"},
    {"username": "me", "password": 42798},
    {"username": "me", "password": "\ud800"},
    {"username": "\ud800", "password": SECRET},
    {"username": "me", "password": '{"type": "service_account"}\n'},
    {"username": "me", "password": {"type": "service_account"}},
    {"username": "me", "password": [SECRET]},
    {"username": 5, "password": SECRET, "state": "absent"},
]


def ended(parameters: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run the module; return its result. A traceback would be an exception here, or a sentence of `explained`."""
    GuardedModule.current = None
    with patch_module_args(parameters), pytest.raises(SystemExit):
        docker_login.main()
    printed = capsys.readouterr().out
    result: dict[str, Any] = json.loads(printed)
    assert "failed unexpectedly" not in str(result.get("msg"))
    assert not result.get("failed") or result["msg"].strip(" .")
    return result


class Homes:
    """Homes of the acting user, one for each example."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        monkeypatch.setattr(registry_logins.resolve, "__defaults__", (self.find_account,))
        monkeypatch.setattr(registry_keychain, "find_account", self.find_account)
        self.path = directory

    def new(self, content: bytes) -> Path:
        home = Path(tempfile.mkdtemp(dir=self.directory))
        (home / ".docker").mkdir(mode=0o700)
        self.path = home / ".docker/config.json"
        self.path.write_bytes(content)
        self.path.chmod(0o600)
        return self.path

    def find_account(self, name: str) -> run_as.Account:
        return run_as.Account(USER, os.geteuid(), os.getegid(), str(self.path.parent.parent))


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homes:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(credential_helpers, "STANDARD_PATH", "/nonexistent")
    monkeypatch.setattr(registry_http.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # hundreds of them take minutes on a busy disk
    return Homes(tmp_path, monkeypatch)


ANY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def not_json(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def with_examples(test: Any) -> Any:
    for content in UNREADABLE:
        test = example(content)(test)
    return test


@ANY
@with_examples
@given(FILES)
def test_any_config_json_is_used_or_refused_in_a_sentence_and_loses_nothing(
    homes: Homes, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """Fault: a `config.json` with any content. Outcome: used, or refused in one sentence; nothing is lost."""
    path = homes.new(content)
    login = {"registry": "new.example", "username": "me", "password": SECRET}
    result = ended({"logins": [login], "verify": False, "_ansible_diff": True}, capsys)
    assert SECRET not in json.dumps(result)
    assert AUTH not in json.dumps(result)
    if result.get("failed"):
        assert path.read_bytes() == content
        assert str(path) in result["msg"] or "docker-credential-" in result["msg"] or "helper" in result["msg"]
    else:
        before = config_json.as_spelled(json.loads(content.decode().strip() or "{}"))
        after = json.loads(path.read_text(), parse_constant=not_json)
        kept = {**before, "auths": before.get("auths") or {}}
        assert after["auths"].pop("new.example") == {"auth": AUTH}
        kept["auths"].pop("new.example", None)
        assert after == kept


@ANY
@given(LOGINS, st.sampled_from([b"{}", *UNREADABLE]))
def test_any_login_is_stored_or_refused_in_a_sentence(
    homes: Homes, capsys: pytest.CaptureFixture[str], login: dict[str, Any], content: bytes
) -> None:
    """Fault: a login of any values. Outcome: stored, or refused in one sentence; nothing changes then."""
    path = homes.new(content)
    login.pop("verify", None)
    result = ended({"logins": [login], "verify": False}, capsys)
    if result.get("failed"):
        assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"{}", *UNREADABLE[-3:]])
@pytest.mark.parametrize("login", INVALID)
def test_inputs_that_were_reported_end_in_a_sentence(
    homes: Homes, capsys: pytest.CaptureFixture[str], content: bytes, login: dict[str, Any]
) -> None:
    path = homes.new(content)
    result = ended({"logins": [login], "verify": False}, capsys)
    assert SECRET not in json.dumps(result)
    if result.get("failed"):
        assert path.read_bytes() == content


@ANY
@given(PLAIN | st.text() | KEYS)
@example("[::1")
@example("[::1]:99999")
def test_any_address_is_asked_or_refused_in_a_sentence(
    homes: Homes, capsys: pytest.CaptureFixture[str], registry: str
) -> None:
    """Fault: any text as the address of a registry. Outcome: asked, or refused in one sentence."""
    path = homes.new(b"{}")
    login = {"registry": registry, "username": "me", "password": SECRET}
    # Nothing listens on this proxy, so nothing leaves the machine.
    proxy = {"http": "http://127.0.0.1:1", "https": "http://127.0.0.1:1"}
    result = ended({"logins": [login], "timeout": 1, "proxy": proxy}, capsys)
    assert result["failed"]
    assert SECRET not in json.dumps(result)
    assert path.read_bytes() == b"{}"


@pytest.mark.parametrize("registry", ["registry..example.com", "a" * 64 + ".example.com", "[::1", "x:99999", "x y"])
def test_what_is_no_address_is_said_under_no_log(
    homes: Homes, capsys: pytest.CaptureFixture[str], registry: str
) -> None:
    homes.new(b"{}")
    login = {"registry": registry, "username": "me", "password": SECRET}
    result = ended({"logins": [login], "_ansible_no_log": True}, capsys)
    assert registry in result["msg"]


@ANY
@given(FILES, KEYS)
def test_any_config_json_gives_credentials_or_a_sentence(homes: Homes, content: bytes, key: str) -> None:
    homes.new(content)
    try:
        keychain = registry_keychain.Keychain(USER)
        keychain.credentials_by_registry(set(), {key, *keychain.registries()})
        assert all(warning.strip(" .") for warning in keychain.warnings())
        registry_keychain.encode_header(keychain.credentials_for(key))
    except registry_keychain.CredentialsError as error:
        assert str(error).strip(" .")
        assert SECRET not in str(error)
        assert AUTH not in str(error)


def test_a_document_is_hidden_in_the_form_that_is_sent() -> None:
    """Fault: Google's key ends in a line break, which is not sent. Outcome: what is sent is hidden as well."""
    document = '{"private_key": "x"}'
    login = {"username": "_json_key", "password": document + "\n"}
    secrets = docker_login.secrets_of({"proxy": {}, "logins": [login]})
    assert base64.b64encode(f"_json_key:{document}".encode()).decode() in secrets
