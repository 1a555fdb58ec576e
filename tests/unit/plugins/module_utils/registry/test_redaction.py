# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import json

from ansible_collections.slipway.platform.plugins.module_utils.registry import config_json, redaction
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=8, max_size=20)
# The redacted text contains asterisks and these keys.
PASSWORDS = WORDS.filter(lambda word: "*" not in word and not any(name in word for name in ("auths", "HttpHeaders")))


def config_with(password: str, username: str) -> dict[str, object]:
    """A configuration with the password in every possible place."""
    auth = config_json.encode_auth(username, password)
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
def test_passwords_are_redacted_in_every_encoding(password: str, username: str) -> None:
    before, after = config_with(password, username), config_with(password + "x", username)
    secrets = redaction.forms_of(username, password)
    shown = redaction.difference("config.json", before, after, secrets)
    text = shown["before"] + shown["after"]
    auth = config_json.encode_auth(username, password)
    for secret in (password, json.dumps(password)[1:-1], auth, base64.b64encode(password.encode()).decode()):
        assert secret not in text


@given(PASSWORDS)
def test_passwords_of_the_configuration_itself_are_redacted(password: str) -> None:
    config = {"auths": {"one": {"auth": config_json.encode_auth("me", password)}}, "note": f"it is {password}"}
    shown = redaction.difference("config.json", config, {}, ())
    assert password not in shown["before"]
    assert shown["after"] == ""


@given(st.dictionaries(st.sampled_from(["auth", "identitytoken", "email"]), st.text(min_size=1)))
def test_all_fields_of_an_entry_but_its_email_are_redacted(entry: dict[str, str]) -> None:
    shown = redaction.redact({"auths": {"one": entry}}, None, set())
    assert set(shown["auths"]["one"]) == set(entry)
    assert all(shown["auths"]["one"][name] == "********" for name in set(entry) - {"email"})


def test_a_new_secret_is_marked_and_other_settings_are_shown() -> None:
    before = {"auths": {"one": {"auth": "YTpi"}, "two": {"auth": "YTpi"}}, "detachKeys": "ctrl-e,e", "big": 12345678}
    after = {
        "auths": {"one": {"auth": "YTpj"}, "two": {"auth": "YTpi"}, "new": {"auth": "YTpi"}},
        "detachKeys": "ctrl-e,e",
    }
    shown = redaction.redact(after, before, set())
    assert shown == {
        "auths": {"one": {"auth": "******** (new)"}, "two": {"auth": "********"}, "new": {"auth": "********"}},
        "detachKeys": "ctrl-e,e",
    }
    assert redaction.redact(before, None, {"12345678"})["big"] == "********"


def test_an_empty_password_has_no_encodings() -> None:
    assert redaction.forms_of("me", None) == redaction.forms_of("me", "") == set()


def test_url_encodings_are_included() -> None:
    assert {"p@s/s", "p%40s%2Fs", "bWU6cEBzL3M="} <= redaction.forms_of("me", "p@s/s")
