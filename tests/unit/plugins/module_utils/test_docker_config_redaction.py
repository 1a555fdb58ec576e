# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import json

from ansible_collections.slipway.platform.plugins.module_utils import docker_config_json, docker_config_redaction
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=8, max_size=20)
# The redacted text itself holds stars, and these names of keys.
PASSWORDS = WORDS.filter(lambda word: "*" not in word and not any(name in word for name in ("auths", "HttpHeaders")))


def config_with(password: str, username: str) -> dict[str, object]:
    """A configuration that has the password wherever one could put it."""
    auth = docker_config_json.encode_auth(username, password)
    return {
        "auths": {
            "one.example": {"auth": auth},
            "two.example": {"identitytoken": password, "username": password, "email": auth},
            "three.example": {"auth": [auth, {"password": password}], "unknown": {"deep": password}},
            "four.example": password,
        },
        "HttpHeaders": {"Authorization": "Basic " + auth},
        "unknown": [password, {password: f"x{auth}x"}],
        "proxies": {"default": {"httpProxy": f"http://me:{password}@proxy:3128"}},
    }


@given(PASSWORDS, st.sampled_from(["me", "acme-org"]))
def test_no_password_is_shown_in_any_form(password: str, username: str) -> None:
    before, after = config_with(password, username), config_with(password + "x", username)
    secrets = docker_config_redaction.forms_of(username, password)
    shown = docker_config_redaction.difference("config.json", before, after, secrets)
    text = shown["before"] + shown["after"]
    auth = docker_config_json.encode_auth(username, password)
    for secret in (password, json.dumps(password)[1:-1], auth, base64.b64encode(password.encode()).decode()):
        assert secret not in text


@given(PASSWORDS)
def test_a_stored_password_that_nobody_named_is_hidden_too(password: str) -> None:
    config = {"auths": {"one": {"auth": docker_config_json.encode_auth("me", password)}}, "note": f"it is {password}"}
    shown = docker_config_redaction.difference("config.json", config, {}, ())
    assert password not in shown["before"]
    assert shown["after"] == ""


@given(st.dictionaries(st.sampled_from(["auth", "identitytoken", "email"]), st.text(min_size=1)))
def test_whatever_is_in_a_foreign_entry_is_hidden(entry: dict[str, str]) -> None:
    shown = docker_config_redaction.redact({"auths": {"one": entry}}, None, set())
    assert set(shown["auths"]["one"]) == set(entry)
    assert all(shown["auths"]["one"][name] == "********" for name in set(entry) - {"email"})


def test_a_new_secret_is_marked_and_the_rest_is_shown() -> None:
    before = {"auths": {"one": {"auth": "YTpi"}, "two": {"auth": "YTpi"}}, "detachKeys": "ctrl-e,e", "big": 12345678}
    after = {
        "auths": {"one": {"auth": "YTpj"}, "two": {"auth": "YTpi"}, "new": {"auth": "YTpi"}},
        "detachKeys": "ctrl-e,e",
    }
    shown = docker_config_redaction.redact(after, before, set())
    assert shown == {
        "auths": {"one": {"auth": "******** (new)"}, "two": {"auth": "********"}, "new": {"auth": "********"}},
        "detachKeys": "ctrl-e,e",
    }
    assert docker_config_redaction.redact(before, None, {"12345678"})["big"] == "********"


def test_an_empty_password_has_no_forms() -> None:
    assert docker_config_redaction.forms_of("me", None) == docker_config_redaction.forms_of("me", "") == set()


def test_the_forms_include_those_of_urls() -> None:
    assert {"p@s/s", "p%40s%2Fs", "bWU6cEBzL3M="} <= docker_config_redaction.forms_of("me", "p@s/s")
