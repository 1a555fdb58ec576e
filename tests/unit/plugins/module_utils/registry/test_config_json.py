# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import copy
import json

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import config_json
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY, names_same_registry
from hypothesis import given
from hypothesis import strategies as st

Config = dict[str, object]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
REGISTRIES = st.sampled_from(
    [HUB_KEY, "docker.io", "index.docker.io", "one.example", "https://one.example/v1/", "two:5000"]
)
ENTRIES = st.fixed_dictionaries({}, optional={"auth": st.text(), "identitytoken": st.text(), "email": st.text()})
CONFIGS = st.builds(
    lambda known, unknown: {**unknown, **known},
    st.fixed_dictionaries(
        {},
        optional={
            "auths": st.dictionaries(REGISTRIES, ENTRIES),
            "credHelpers": st.dictionaries(REGISTRIES, st.sampled_from(["pass", "ecr-login"])),
        },
    ),
    st.dictionaries(st.text().filter(lambda key: key not in ("auths", "credHelpers", "credsStore")), JSON, max_size=3),
)
KEYS = st.sampled_from([HUB_KEY, "one.example", "two:5000"])


def unrelated(config: dict[str, dict[str, object]], key: str) -> object:
    """Everything that a login to this registry must preserve."""
    rest: dict[str, object] = {name: value for name, value in config.items() if name != "auths"}
    auths = {name: entry for name, entry in config.get("auths", {}).items() if not names_same_registry(key, name)}
    return rest, auths


@given(CONFIGS, KEYS)
def test_other_registries_and_unknown_keys_are_preserved(config: dict[str, dict[str, object]], key: str) -> None:
    before = copy.deepcopy(config)
    for after in (
        config_json.with_auth(config, key, "YTpi"),
        config_json.without_auth(config, key),
        config_json.without_registry(config, key),
    ):
        assert unrelated(after, key) == unrelated(before, key)
        assert config == before


@given(CONFIGS, KEYS)
def test_changes_are_idempotent(config: Config, key: str) -> None:
    for change in (
        lambda config: config_json.with_auth(config, key, "YTpi"),
        lambda config: config_json.without_auth(config, key),
        lambda config: config_json.without_registry(config, key),
        lambda config: config_json.with_helper(config, key, "pass"),
        lambda config: config_json.without_helper(config, key),
    ):
        once = change(config)
        assert config_json.render(change(once)) == config_json.render(once)


@given(CONFIGS)
def test_rendering_and_parsing_round_trip(config: Config) -> None:
    text = config_json.render(config)
    assert config_json.parse(text, "config.json") == config
    assert list(json.loads(text)) == list(config)


def test_the_format_is_that_of_the_docker_cli() -> None:
    after = config_json.with_auth({"credsStore": "", "x": "ü"}, HUB_KEY, "YTpi")
    assert config_json.render(after) == (
        '{\n\t"credsStore": "",\n\t"x": "ü",\n\t"auths": {\n\t\t"https://index.docker.io/v1/": '
        '{\n\t\t\t"auth": "YTpi"\n\t\t}\n\t}\n}'
    )


def test_lone_surrogates_are_preserved() -> None:
    config = config_json.parse('{"x": "\\ud800\\udc80"}', "config.json")
    lone = config_json.parse('{"x": "\\udc80"}', "config.json")
    assert config_json.parse(config_json.render(config), "config.json") == config
    assert config_json.parse(config_json.render(lone), "config.json") == lone


def test_a_login_removes_aliases_of_docker_hub_and_replaces_its_entry() -> None:
    config: Config = {"auths": {"docker.io": {"auth": "old"}, HUB_KEY: {"identitytoken": "t", "email": "e"}, "one": {}}}
    after = config_json.with_auth(config, HUB_KEY, "YTpi")
    assert after == {"auths": {HUB_KEY: {"email": "e", "auth": "YTpi"}, "one": {}}}


def test_a_logout_removes_every_spelling_and_the_browser_login() -> None:
    config: dict[str, dict[str, object]] = {
        "auths": {"docker.io": {}, HUB_KEY: {}, HUB_KEY + "refresh-token": {}, "https://one.example/v1/": {}}
    }
    assert config_json.without_registry(config, HUB_KEY) == {"auths": {"https://one.example/v1/": {}}}
    assert config_json.without_registry(config, "one.example")["auths"].keys() == config["auths"].keys() - {
        "https://one.example/v1/"
    }


def test_the_helper_of_a_registry_takes_precedence_over_the_default() -> None:
    config = {"credsStore": "pass", "credHelpers": {"one": "ecr-login", "two": ""}}
    assert [config_json.helper_of(config, key) for key in ("one", "two", "three")] == ["ecr-login", None, "pass"]
    assert config_json.helper_of({}, "one") is None


def test_entries_without_a_secret_are_kept_with_a_helper() -> None:
    config = {"auths": {"one": {}, "two": {"auth": "YTpi"}, "three": None}}
    assert config_json.without_auth(config, "one") == config
    assert config_json.without_auth(config, "two")["auths"] == {"one": {}, "three": None}
    assert config_json.plain_text_registries(config) == ["two", "three"]


def test_removing_the_last_helper_removes_cred_helpers() -> None:
    assert config_json.without_helper({"credHelpers": {HUB_KEY: "pass", "docker.io": "pass"}}, HUB_KEY) == {}
    assert config_json.without_helper({"credHelpers": {}}, HUB_KEY) == {"credHelpers": {}}


@pytest.mark.parametrize("text", [None, "", " \n", "{}"])
def test_an_absent_or_empty_file_is_an_empty_configuration(text: str | None) -> None:
    assert config_json.parse(text, "config.json") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{\n"auths": {,}', "line 2 column 11"),
        ("[]", "not a JSON object"),
        ('{"auths": []}', "auths is not a JSON object"),
        ('{"auths": 1}', "auths is not a JSON object"),
        ('{"credHelpers": "pass"}', "credHelpers is not a JSON object"),
        ('{"credHelpers": {"one": 1}}', "credHelpers of one is not a string"),
        ('{"credsStore": {"a": 1}}', "credsStore is not a string"),
        ('{"x": "\udc80"}', "not UTF-8"),
        ("[" * 100000, "nested too deeply"),
        ('{"x":' * 400 + "1" + "}" * 400, "nested too deeply"),
        ('{"x": 1e400}', "the number 1e400 is too large"),
        ('{"x": [-1e999]}', "too large"),
        ('{"x": Infinity}', "Infinity is not a number"),
        ('{"x": NaN}', "NaN is not a number"),
        ('{"auths": {"one": {}}, "auths": {}}', "the key 'auths' is there twice"),
        ('{"auths": {"one": {"auth": "a"}, "one": {}}}', "the key 'one' is there twice"),
    ],
)
def test_an_invalid_file_is_rejected_with_path_and_position(text: str, reason: str) -> None:
    """Fault: `config.json` has a number like 1e400, or a key twice. Outcome: refused; nothing is rewritten or lost."""
    with pytest.raises(config_json.DockerConfigError, match=f"/home/me/config.json.*{reason}"):
        config_json.parse(text, "/home/me/config.json")


@given(st.text(), st.text())
def test_auth_is_base64_of_user_and_password(username: str, password: str) -> None:
    auth = config_json.encode_auth(username, password)
    assert base64.b64decode(auth).decode() == f"{username}:{password}"


@pytest.mark.parametrize(
    ("entry", "credentials"),
    [
        ({"auth": "bWU6d29yZA=="}, ("me", "word")),
        ({"auth": "bWU6d29y\r\nZA==\n"}, ("me", "word")),
        ({"auth": base64.b64encode(b"me:wo:rd\0\0").decode()}, ("me", "wo:rd")),
        ({"username": "me", "password": "word"}, ("me", "word")),
        ({"auth": "", "username": "me", "password": "word"}, ("me", "word")),
        ({"auth": "bWU6d29yZA==", "username": "other", "password": "other"}, ("me", "word")),
        ({}, ("", "")),
        ({"username": None}, ("", "")),
    ],
)
def test_credentials_are_read_as_the_docker_cli_reads_them(
    entry: dict[str, object], credentials: tuple[str, str]
) -> None:
    assert config_json.credentials_of(entry) == credentials


@pytest.mark.parametrize(
    "entry", [{"auth": "?"}, {"auth": "bWU="}, {"auth": 5}, {"auth": "bWU6/w=="}, {"username": 5}, {"auth": "ü"}]
)
def test_invalid_credentials_are_an_error(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        config_json.credentials_of(entry)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"credSstore": "osxkeychain"}', {"credsStore": "osxkeychain"}),
        ('{"credhelpers": {"one.example": "pass"}}', {"credHelpers": {"one.example": "pass"}}),
        ('{"Auths": {"One": {"AUTH": "YTpi", "Other": 1}}}', {"auths": {"One": {"auth": "YTpi", "Other": 1}}}),
        ('{"AUTHS": null, "auths": null}', None),
        ('{"auths": {"one": {"auth": "YTpi", "Auth": "YTpj"}}}', None),
    ],
)
def test_keys_are_read_in_any_case_as_by_the_docker_cli(text: str, meant: object) -> None:
    """Fault: `credSstore` in a `config.json`. Outcome: read as `credsStore`, as the Docker CLI does."""
    if meant is None:
        with pytest.raises(config_json.DockerConfigError, match="is there twice"):
            config_json.parse(text, "f")
    else:
        assert config_json.parse(text, "f") == meant
