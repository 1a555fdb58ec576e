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
from ansible_collections.slipway.platform.plugins.module_utils import acting_as, registry_http, registry_logins
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import HUB_KEY

# Keeps each registry in a file; fails to store where the home has a file "broken".
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
        """Nothing to tell."""


@pytest.fixture
def registry() -> Iterator[str]:
    Registry.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Below it are the homes of all users of these tests, who are all the user who runs them; and a helper."""
    program = tmp_path / "docker-credential-test"
    program.write_text(HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


class House:
    """Does what the module does with its parameters."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.warnings: list[str] = []

    def find_account(self, name: str) -> acting_as.Account:
        (self.home / name).mkdir(exist_ok=True)
        return acting_as.Account(pwd.getpwuid(os.getuid()).pw_name, os.getuid(), os.getgid(), str(self.home / name))

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
def house(home: Path) -> House:
    return House(home)


ME: dict[str, object] = {"username": "me", "password": PASSWORD}
AUTH = base64.b64encode(f"me:{PASSWORD}".encode()).decode()


def test_check_run_rerun_and_check_again(house: House) -> None:
    assert house.run(ME, write=False)["changed"]
    assert not house.path().exists()
    assert house.run(ME)["logins"] == [{"user": acting_user(), "registry": HUB_KEY, "verified": False, "changed": True}]
    assert house.config() == {"auths": {HUB_KEY: {"auth": AUTH}}}
    for write in (True, False):
        again = house.run(ME, write=write)
        assert (again["changed"], again["diff"], again["logins"][0]["changed"]) == (False, [], False)


def acting_user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def test_an_open_file_is_a_change_of_its_own_and_the_diff_tells(house: House) -> None:
    house.put(json.dumps({"auths": {HUB_KEY: {"auth": AUTH}}}), mode=0o644)
    result = house.run(ME)
    assert (result["changed"], result["logins"][0]["changed"]) == (True, False)
    assert "0644 0700" in result["diff"][0]["before"]
    assert house.path().stat().st_mode & 0o777 == 0o600
    assert not house.run(ME)["changed"]


def test_a_new_secret_is_marked_in_the_diff(house: House) -> None:
    house.run({**ME, "password": "an older one"})
    (shown,) = house.run(ME)["diff"]
    assert '"auth": "********"' in shown["before"]
    assert '"auth": "******** (new)"' in shown["after"]


def test_verified_credentials_are_said_to_be(house: House, registry: str) -> None:
    logins = [{**ME, "registry": registry}, {**ME, "registry": registry, "user": "b"}]
    assert [login["verified"] for login in house.run(*logins, verify=True)["logins"]] == [True, True]
    assert Registry.asked == [None, f"Basic {AUTH}"]


def test_when_one_login_is_refused_nothing_is_changed(house: House, registry: str) -> None:
    wrong = {**ME, "registry": registry, "password": "revoked-token", "user": "b"}
    with pytest.raises(registry_logins.LoginError, match=f"at registry {registry}: .* refuses user me") as caught:
        house.run({**ME, "registry": registry}, wrong, verify=True)
    assert "revoked-token" not in str(caught.value)
    assert not house.path("a").exists()


def test_a_revoked_token_that_is_stored_is_found(house: House, registry: str) -> None:
    stored = {**ME, "registry": registry, "password": "revoked-token"}
    house.run(stored)
    before = house.path().read_text()
    with pytest.raises(registry_logins.LoginError, match="refuses user me"):
        house.run(stored, verify=True)
    assert house.path().read_text() == before


def test_a_broken_file_stops_everything_and_stays(house: House) -> None:
    house.put("{", user="b")
    with pytest.raises(registry_logins.LoginError, match=r"b/.docker/config.json is not valid JSON .*line 1 column 2"):
        house.run(ME, {**ME, "user": "b"})
    assert house.path("b").read_text() == "{"
    assert not house.path("a").exists()


def test_a_write_that_fails_takes_the_earlier_ones_back(house: House) -> None:
    house.put('{"credsStore": "test"}', user="b")
    house.run({**ME, "user": "b", "password": "older"})
    (house.home / "b" / "broken").touch()
    with pytest.raises(registry_logins.LoginError, match="docker-credential-test store fails: no luck with") as caught:
        house.run(ME, {**ME, "user": "b"})
    assert PASSWORD not in str(caught.value)
    assert list((house.home / "a").iterdir()) == []


def test_a_helper_keeps_the_secret_and_the_file_does_not(house: House) -> None:
    house.run(ME)
    result = house.run({**ME, "helper": "test"})
    assert house.config() == {"auths": {}, "credHelpers": {HUB_KEY: "test"}}
    assert house.kept() == [HUB_KEY.replace("/", "_")]
    assert len(result["diff"]) == 2
    assert not house.run({**ME, "helper": "test"})["changed"]
    assert not house.run(ME)["changed"]


def test_a_changed_secret_is_stored_in_the_helper(house: House) -> None:
    house.run({**ME, "helper": "test", "password": "older"})
    result = house.run(ME)
    assert result["logins"][0]["changed"]
    assert result["diff"][0]["after"] == "me ******** (new)\n"


def test_a_logout_forgets_the_helper_and_what_it_keeps(house: House) -> None:
    house.run({**ME, "helper": "test"}, {**ME, "registry": "one.example"})
    assert house.run({"state": "absent", "helper": "test"})["changed"]
    assert house.config()["auths"].keys() == {"one.example"}
    assert "credHelpers" not in house.config()
    assert house.kept() == []
    assert not house.run({"state": "absent", "helper": "test"})["changed"]


def test_a_logout_of_nobody_makes_no_file(house: House) -> None:
    assert not house.run({"state": "absent"})["changed"]
    assert not house.path().parent.exists()


def test_a_missing_helper_is_an_error_and_never_plain_text(house: House) -> None:
    house.put('{"credsStore": "absent"}')
    logins: list[dict[str, object]] = [ME, {**ME, "helper": "gone"}, {"helper": "gone"}]
    logins.append({"registry": "*", "helper": "gone"})
    for login in logins:
        with pytest.raises(registry_logins.LoginError, match=r"docker-credential-(absent|gone) is not on this host"):
            house.run(login)
    assert house.path().read_text() == '{"credsStore": "absent"}'


def test_the_store_of_all_registries_decides_for_logins_of_the_same_run(house: House) -> None:
    house.run({**ME, "registry": "one.example"})
    result = house.run(ME, {"registry": "*", "helper": "test"})
    assert house.config().keys() == {"auths", "credsStore"}
    assert HUB_KEY not in house.config()["auths"]
    assert "log in to them again" in result["warnings"][0]
    assert [login["registry"] for login in result["logins"]] == [HUB_KEY, "*"]
    house.run({"state": "absent"}, {"registry": "*", "helper": "test", "state": "absent"})
    assert house.kept() == []
    assert "credsStore" not in house.config()


def test_a_helper_without_a_password_is_only_named(house: House) -> None:
    login: dict[str, object] = {"registry": "one.example", "helper": "test"}
    assert not house.run(login, verify=True)["logins"][0]["verified"]
    assert house.config() == {"credHelpers": {"one.example": "test"}}
    assert not house.run(login)["changed"]


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ({}, "the password is missing"),
        ({"password": PASSWORD}, "the username is missing"),
        ({"username": "a:b", "password": PASSWORD}, "colon"),
        ({"username": "me", "password": PASSWORD + "\n"}, "the password holds a line break"),
        ({"registry": "*"}, "give a helper and no password"),
        ({"registry": "*", "helper": "test", **ME}, "give a helper and no password"),
        ({"registry": "a b", **ME}, "white space"),
        ({"helper": "../x", **ME}, "does not name a credential helper"),
    ],
)
def test_an_incomplete_login_is_refused_by_name(house: House, login: dict[str, object], reason: str) -> None:
    with pytest.raises(registry_logins.LoginError, match=f"Login of user a at registry .*{reason}") as caught:
        house.run(login)
    assert PASSWORD not in str(caught.value)


def test_a_registry_is_there_once_however_it_is_spelled(house: House) -> None:
    with pytest.raises(registry_logins.LoginError, match="there twice"):
        house.run(ME, {**ME, "registry": "https://index.docker.io/v1/"})


def test_an_unknown_user_is_named() -> None:
    login = {"registry": "docker.io", "user": "no-such-user", "state": "present", "helper": None, **ME}
    with pytest.raises(registry_logins.LoginError, match=r"user no-such-user .* does not exist"):
        registry_logins.resolve([login])


def test_a_rate_limit_that_nobody_tells_is_a_warning(house: House) -> None:
    login = {"registry": "docker.io", "user": "a", "state": "present", "helper": None, **ME}
    logins = registry_logins.resolve([login], house.find_account)
    nowhere = registry_http.Client({"https": "http://127.0.0.1:1"}, 1, ())
    assert registry_logins.rate_limits(logins, nowhere, house.warnings.append) == {}
    assert "the rate limit of user" in house.warnings[0]
