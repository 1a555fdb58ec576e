# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import http.server
import json
import os
import pwd
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.registry import http as registry_http
from ansible_collections.slipway.platform.plugins.module_utils.registry import logins as registry_logins
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY

# Stores each registry in a file; store fails if the home has a file "broken".
HELPER = """#!/bin/sh
cd "$HOME" && mkdir -p kept && input=$(cat)
case $1 in
    store) test ! -e broken || { echo "no luck with $input"; exit 1; }
           key=$(echo "$input" | sed 's/.*"ServerURL": "\\([^"]*\\)".*/\\1/')
           echo "$input" > "kept/$(echo "$key" | tr / _)" ;;
    get) cat "kept/$(echo "$input" | tr / _)" 2>&- || { echo "credentials not found in native keychain"; exit 1; } ;;
    erase) rm "kept/$(echo "$input" | tr / _)" 2>&- || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
"""
PASSWORD = "dckr_pat_right"
CLIENT = registry_http.Client(timeout=5, pauses=(0, 0))


class Registry(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        authorization = self.headers["Authorization"]
        self.asked.append(authorization)
        right = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
        self.send_response(200 if authorization == right else 401)
        self.send_header("WWW-Authenticate", "Basic realm=test")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test output quiet."""


@pytest.fixture
def registry() -> Iterator[str]:
    Registry.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a helper, and the home directories of the tests' users, whose UID is that of the test run."""
    program = tmp_path / "docker-credential-test"
    program.write_text(HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


class Host:
    """A host with users a and b; runs logins as the module does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.warnings: list[str] = []

    def find_account(self, name: str) -> run_as.Account:
        (self.home / name).mkdir(exist_ok=True)
        return run_as.Account(pwd.getpwuid(os.getuid()).pw_name, os.getuid(), os.getgid(), str(self.home / name))

    def run(self, *logins: dict[str, object], verify: bool = False, write: bool = True) -> dict[str, Any]:
        defaults = {"registry": "docker.io", "username": None, "password": None, "user": "a", "helper": None}
        wanted = [{**defaults, "state": "present", **login} for login in logins]
        resolved = registry_logins.resolve(wanted, self.find_account)
        plans = registry_logins.plan(resolved)
        verified = registry_logins.verify(resolved, CLIENT, self.warnings.append) if verify else set()
        result: dict[str, Any] = registry_logins.summary(resolved, plans, verified, {PASSWORD})
        if write:
            registry_logins.apply(plans)
        assert PASSWORD not in str(result)
        return result

    def path(self, user: str = "a") -> Path:
        return self.home / user / ".docker" / "config.json"

    def config(self, user: str = "a") -> Any:
        return json.loads(self.path(user).read_text())

    def put(self, text: str, user: str = "a", mode: int = 0o600) -> None:
        self.path(user).parent.mkdir(parents=True, mode=0o700)
        self.path(user).write_text(text)
        self.path(user).chmod(mode)

    def kept(self, user: str = "a") -> list[str]:
        return sorted(path.name for path in (self.home / user / "kept").iterdir())


@pytest.fixture
def host(home: Path) -> Host:
    return Host(home)


ME: dict[str, object] = {"username": "me", "password": PASSWORD}
AUTH = base64.b64encode(f"me:{PASSWORD}".encode()).decode()


def test_check_mode_run_and_rerun(host: Host) -> None:
    assert host.run(ME, write=False)["changed"]
    assert not host.path().exists()
    (login,) = host.run(ME)["logins"]
    assert login == {"user": acting_user(), "registry": HUB_KEY, "verified": False, "changed": True, "ends": None}
    assert host.config() == {"auths": {HUB_KEY: {"auth": AUTH}}}
    for write in (True, False):
        again = host.run(ME, write=write)
        assert (again["changed"], again["diff"], again["logins"][0]["changed"]) == (False, [], False)


def acting_user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def test_loose_permissions_are_a_change_that_the_diff_shows(host: Host) -> None:
    host.put(json.dumps({"auths": {HUB_KEY: {"auth": AUTH}}}), mode=0o644)
    result = host.run(ME)
    assert (result["changed"], result["logins"][0]["changed"]) == (True, False)
    assert "0644 0700" in result["diff"][0]["before"]
    assert host.path().stat().st_mode & 0o777 == 0o600
    assert not host.run(ME)["changed"]


def test_a_new_secret_is_marked_in_the_diff(host: Host) -> None:
    host.run({**ME, "password": "an older one"})
    (shown,) = host.run(ME)["diff"]
    assert '"auth": "********"' in shown["before"]
    assert '"auth": "******** (new)"' in shown["after"]


def test_verified_credentials_are_reported_and_requested_once(host: Host, registry: str) -> None:
    logins = [{**ME, "registry": registry}, {**ME, "registry": registry, "user": "b"}]
    assert [login["verified"] for login in host.run(*logins, verify=True)["logins"]] == [True, True]
    assert Registry.asked == [None, f"Basic {AUTH}"]


def test_one_rejected_login_prevents_all_changes(host: Host, registry: str) -> None:
    wrong = {**ME, "registry": registry, "password": "revoked-token", "user": "b"}
    with pytest.raises(
        registry_logins.LoginError, match=f"at registry {registry}: .* rejected the credentials of user me"
    ) as caught:
        host.run({**ME, "registry": registry}, wrong, verify=True)
    assert "revoked-token" not in str(caught.value)
    assert not host.path("a").exists()


def test_a_stored_token_that_was_revoked_is_detected(host: Host, registry: str) -> None:
    stored = {**ME, "registry": registry, "password": "revoked-token"}
    host.run(stored)
    before = host.path().read_text()
    with pytest.raises(registry_logins.LoginError, match="rejected the credentials of user me"):
        host.run(stored, verify=True)
    assert host.path().read_text() == before


def test_an_invalid_file_prevents_all_changes_and_is_kept(host: Host) -> None:
    host.put("{", user="b")
    with pytest.raises(registry_logins.LoginError, match=r"b/.docker/config.json is not valid JSON .*line 1 column 2"):
        host.run(ME, {**ME, "user": "b"})
    assert host.path("b").read_text() == "{"
    assert not host.path("a").exists()


def test_a_failed_write_rolls_back_earlier_ones(host: Host) -> None:
    host.put('{"credsStore": "test"}', user="b")
    host.run({**ME, "user": "b", "password": "older"})
    (host.home / "b" / "broken").touch()
    with pytest.raises(registry_logins.LoginError, match="docker-credential-test store failed: no luck with") as caught:
        host.run(ME, {**ME, "user": "b"})
    assert PASSWORD not in str(caught.value)
    assert list((host.home / "a").iterdir()) == []


def test_a_helper_stores_the_secret_instead_of_the_file(host: Host) -> None:
    host.run(ME)
    result = host.run({**ME, "helper": "test"})
    assert host.config() == {"auths": {}, "credHelpers": {HUB_KEY: "test"}}
    assert host.kept() == [HUB_KEY.replace("/", "_")]
    assert len(result["diff"]) == 2
    assert not host.run({**ME, "helper": "test"})["changed"]
    assert not host.run(ME)["changed"]


def test_a_new_secret_is_stored_in_the_helper(host: Host) -> None:
    host.run({**ME, "helper": "test", "password": "older"})
    result = host.run(ME)
    assert result["logins"][0]["changed"]
    assert result["diff"][0]["after"] == "me ******** (new)\n"


def test_a_logout_removes_the_helper_and_its_secret(host: Host) -> None:
    host.run({**ME, "helper": "test"}, {**ME, "registry": "one.example"})
    assert host.run({"state": "absent", "helper": "test"})["changed"]
    assert host.config()["auths"].keys() == {"one.example"}
    assert "credHelpers" not in host.config()
    assert host.kept() == []
    assert not host.run({"state": "absent", "helper": "test"})["changed"]


def test_a_logout_without_a_login_creates_no_file(host: Host) -> None:
    assert not host.run({"state": "absent"})["changed"]
    assert not host.path().parent.exists()


def test_a_missing_helper_does_not_fall_back_to_plain_text(host: Host) -> None:
    host.put('{"credsStore": "absent"}')
    logins: list[dict[str, object]] = [ME, {**ME, "helper": "gone"}, {"helper": "gone"}]
    logins.append({"registry": "*", "helper": "gone"})
    for login in logins:
        with pytest.raises(registry_logins.LoginError, match=r"docker-credential-(absent|gone) is not installed"):
            host.run(login)
    assert host.path().read_text() == '{"credsStore": "absent"}'


def test_the_default_helper_applies_to_logins_of_the_same_run(host: Host) -> None:
    host.run({**ME, "registry": "one.example"})
    result = host.run(ME, {"registry": "*", "helper": "test"})
    assert host.config().keys() == {"auths", "credsStore"}
    assert HUB_KEY not in host.config()["auths"]
    assert "log in to them again" in result["warnings"][0]
    assert [login["registry"] for login in result["logins"]] == [HUB_KEY, "*"]
    host.run({"state": "absent"}, {"registry": "*", "helper": "test", "state": "absent"})
    assert host.kept() == []
    assert "credsStore" not in host.config()


def test_a_helper_without_a_password_is_configured_without_verification(host: Host) -> None:
    login: dict[str, object] = {"registry": "one.example", "helper": "test"}
    assert not host.run(login, verify=True)["logins"][0]["verified"]
    assert host.config() == {"credHelpers": {"one.example": "test"}}
    assert not host.run(login)["changed"]


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ({}, "the password is missing"),
        ({"password": PASSWORD}, "the username is missing"),
        ({"username": "a:b", "password": PASSWORD}, "colon"),
        ({"username": "me", "password": PASSWORD + "\n"}, "the password contains a line break"),
        ({"username": "me", "password": "\udc80"}, "the password contains characters that are not UTF-8"),
        ({"username": "m\udc80", "password": PASSWORD}, "colon or a control character"),
        ({"username": "me", "password": 42798}, "the password or token is a number or a boolean in YAML"),
        ({"username": "me", "password": True}, "quote it"),
        ({"username": "me", "password": [PASSWORD]}, "is a list: set it to a text"),
        ({"registry": "registry..example.com", **ME}, "1 to 63 characters"),
        ({"registry": "*"}, "set helper, and no password"),
        ({"registry": "*", "helper": "test", **ME}, "set helper, and no password"),
        ({"registry": "a b", **ME}, "whitespace"),
        ({"helper": "../x", **ME}, "is not the name of a credential helper"),
    ],
)
def test_an_invalid_login_is_rejected_by_name(host: Host, login: dict[str, object], reason: str) -> None:
    with pytest.raises(registry_logins.LoginError, match=f"Login of user a at registry .*{reason}") as caught:
        host.run(login)
    assert PASSWORD not in str(caught.value)


# As Google delivers it; the key itself is shortened.
KEY = {
    "type": "service_account",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("key", [json.dumps(KEY, indent=2), json.dumps(KEY, indent=2) + "\n", json.dumps(KEY), KEY])
def test_google_s_key_of_several_lines_is_accepted(host: Host, key: object) -> None:
    """Fault: the password is Google's JSON key, which has several lines. Outcome: accepted, as by docker login."""
    google: dict[str, object] = {"registry": "europe-docker.pkg.dev", "username": "_json_key", "password": key}
    host.run(google)
    stored = base64.b64decode(host.config()["auths"]["europe-docker.pkg.dev"]["auth"]).decode()
    user, _, password = stored.partition(":")
    assert user == "_json_key"
    assert json.loads(password) == KEY
    assert not password.endswith("\n")
    assert not host.run(google)["changed"]


def test_one_login_is_not_verified_and_others_are(host: Host, registry: str) -> None:
    """Fault: one registry among several cannot verify credentials. Outcome: this login alone is not verified."""
    odd = {**ME, "registry": "127.0.0.1:1", "verify": False}
    result = host.run({**ME, "registry": registry}, odd, verify=True)
    assert [login["verified"] for login in result["logins"]] == [True, False]
    with pytest.raises(registry_logins.LoginError, match="cannot be reached"):
        host.run({**odd, "verify": None}, verify=True)


def test_a_login_may_be_verified_where_the_others_are_not(host: Host, registry: str) -> None:
    login = {"registry": registry, "user": "a", "state": "present", "helper": None, **ME}
    others = {**login, "registry": "127.0.0.1:1"}
    logins = registry_logins.resolve([{**login, "verify": True}, others], host.find_account)
    assert [login.key for login in registry_logins.verify(logins, CLIENT, host.warnings.append, False)] == [registry]


LEFTOVER = '{"credsStore": "desktop", "auths": {"one.example": {}}}'


@pytest.mark.parametrize("login", [ME, {"state": "absent"}])
def test_a_leftover_default_helper_is_named_with_the_way_to_drop_it(host: Host, login: dict[str, object]) -> None:
    """Fault: `credsStore` names a helper that is not installed any more. Outcome: refused with both ways out."""
    host.put(LEFTOVER)
    with pytest.raises(
        registry_logins.LoginError, match=r"docker-credential-desktop is not installed: install"
    ) as found:
        host.run(login)
    assert f"remove credsStore from {host.path()}" in str(found.value)
    assert "as a login with registry '*', helper desktop and state absent does" in str(found.value)
    assert host.path().read_text() == LEFTOVER


@pytest.mark.parametrize("login", [ME, {"state": "absent"}])
def test_the_way_to_drop_a_leftover_helper_works_in_the_same_run(host: Host, login: dict[str, object]) -> None:
    host.put(LEFTOVER)
    host.run(login, {"registry": "*", "helper": "desktop", "state": "absent"})
    assert "credsStore" not in host.config()


@pytest.mark.parametrize("helper", ["gone", "../x"])
def test_a_missing_helper_of_one_registry_is_dropped_with_a_warning(host: Host, helper: str) -> None:
    host.put(json.dumps({"credHelpers": {"one.example": helper, "two.example": "pass"}}))
    with pytest.raises(registry_logins.LoginError, match=r"remove one.example from credHelpers in "):
        host.run({**ME, "registry": "one.example"})
    if helper == "gone":
        result = host.run({"registry": "one.example", "helper": helper, "state": "absent"})
        assert "what it may still store for one.example was not erased" in result["warnings"][0]
        assert host.config() == {"credHelpers": {"two.example": "pass"}}
        assert host.run({"registry": "one.example", "helper": helper, "state": "absent"})["warnings"] == []


def test_a_helper_that_fails_is_named_with_the_way_to_drop_it(host: Host) -> None:
    program = host.home / "docker-credential-locked"
    program.write_text("#!/bin/sh\necho the keyring is locked\nexit 1\n")
    program.chmod(0o755)
    host.put('{"credsStore": "locked"}')
    with pytest.raises(registry_logins.LoginError, match=r"get failed: the keyring is locked. If it should not be"):
        host.run(ME)


def test_a_registry_listed_twice_in_two_spellings_is_rejected(host: Host) -> None:
    with pytest.raises(registry_logins.LoginError, match="listed twice"):
        host.run(ME, {**ME, "registry": "https://index.docker.io/v1/"})


def test_an_unknown_user_is_named() -> None:
    login = {"registry": "docker.io", "user": "no-such-user", "state": "present", "helper": None, **ME}
    with pytest.raises(registry_logins.LoginError, match=r"user no-such-user .* does not exist"):
        registry_logins.resolve([login])


def test_an_unknown_rate_limit_is_a_warning(host: Host) -> None:
    login = {"registry": "docker.io", "user": "a", "state": "present", "helper": None, **ME}
    logins = registry_logins.resolve([login], host.find_account)
    nowhere = registry_http.Client({"https": "http://127.0.0.1:1"}, 1, ())
    assert registry_logins.rate_limits(logins, nowhere, host.warnings.append) == {}
    assert "the rate limit of user" in host.warnings[0]
