# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import copy
import json

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import docker_config_json as config_json
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import HUB_KEY, names_same_registry
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


def others(config: dict[str, dict[str, object]], key: str) -> object:
    """All that a login to this registry does not concern."""
    rest: dict[str, object] = {name: value for name, value in config.items() if name != "auths"}
    auths = {name: entry for name, entry in config.get("auths", {}).items() if not names_same_registry(key, name)}
    return rest, auths


@given(CONFIGS, KEYS)
def test_no_other_registry_and_no_unknown_key_is_lost(config: dict[str, dict[str, object]], key: str) -> None:
    before = copy.deepcopy(config)
    for after in (
        config_json.with_auth(config, key, "YTpi"),
        config_json.without_auth(config, key),
        config_json.without_registry(config, key),
    ):
        assert others(after, key) == others(before, key)
        assert config == before


@given(CONFIGS, KEYS)
def test_twice_is_once(config: Config, key: str) -> None:
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
def test_the_rendered_text_is_the_configuration(config: Config) -> None:
    text = config_json.render(config)
    assert config_json.parse(text, "config.json") == config
    assert list(json.loads(text)) == list(config)


def test_the_text_is_that_of_docker() -> None:
    after = config_json.with_auth({"credsStore": "", "x": "ü"}, HUB_KEY, "YTpi")
    assert config_json.render(after) == (
        '{\n\t"credsStore": "",\n\t"x": "ü",\n\t"auths": {\n\t\t"https://index.docker.io/v1/": '
        '{\n\t\t\t"auth": "YTpi"\n\t\t}\n\t}\n}'
    )


def test_half_a_surrogate_pair_survives() -> None:
    config = config_json.parse('{"x": "\\ud800\\udc80"}', "config.json")
    odd = config_json.parse('{"x": "\\udc80"}', "config.json")
    assert config_json.parse(config_json.render(config), "config.json") == config
    assert config_json.parse(config_json.render(odd), "config.json") == odd


def test_aliases_of_docker_hub_go_and_its_entry_is_replaced() -> None:
    config: Config = {"auths": {"docker.io": {"auth": "old"}, HUB_KEY: {"identitytoken": "t", "email": "e"}, "one": {}}}
    after = config_json.with_auth(config, HUB_KEY, "YTpi")
    assert after == {"auths": {HUB_KEY: {"email": "e", "auth": "YTpi"}, "one": {}}}


def test_a_logout_takes_every_spelling_and_what_the_browser_login_left() -> None:
    config: dict[str, dict[str, object]] = {
        "auths": {"docker.io": {}, HUB_KEY: {}, HUB_KEY + "refresh-token": {}, "https://one.example/v1/": {}}
    }
    assert config_json.without_registry(config, HUB_KEY) == {"auths": {"https://one.example/v1/": {}}}
    assert config_json.without_registry(config, "one.example")["auths"].keys() == config["auths"].keys() - {
        "https://one.example/v1/"
    }


def test_the_helper_of_a_registry_wins_over_the_store() -> None:
    config = {"credsStore": "pass", "credHelpers": {"one": "ecr-login", "two": ""}}
    assert [config_json.helper_of(config, key) for key in ("one", "two", "three")] == ["ecr-login", None, "pass"]
    assert config_json.helper_of({}, "one") is None


def test_an_entry_without_a_secret_may_stay_beside_a_helper() -> None:
    config = {"auths": {"one": {}, "two": {"auth": "YTpi"}, "three": None}}
    assert config_json.without_auth(config, "one") == config
    assert config_json.without_auth(config, "two")["auths"] == {"one": {}, "three": None}
    assert config_json.plain_text_registries(config) == ["two", "three"]


def test_the_last_helper_takes_its_object_along() -> None:
    assert config_json.without_helper({"credHelpers": {HUB_KEY: "pass", "docker.io": "pass"}}, HUB_KEY) == {}
    assert config_json.without_helper({"credHelpers": {}}, HUB_KEY) == {"credHelpers": {}}


@pytest.mark.parametrize("text", [None, "", " \n", "{}"])
def test_nothing_is_an_empty_configuration(text: str | None) -> None:
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
    ],
)
def test_a_broken_file_is_refused_by_name_and_place(text: str, reason: str) -> None:
    with pytest.raises(config_json.DockerConfigError, match=f"/home/me/config.json.*{reason}"):
        config_json.parse(text, "/home/me/config.json")


@given(st.text(), st.text())
def test_auth_is_base64_of_user_and_password(username: str, password: str) -> None:
    auth = config_json.encode_auth(username, password)
    assert base64.b64decode(auth).decode() == f"{username}:{password}"
