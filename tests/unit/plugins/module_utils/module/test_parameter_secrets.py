# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets

OPTIONS = {
    "name": {"type": "str"},
    "free": {"type": "dict"},
    "key_file": {"type": "path", "no_log": False},
    "tls": {"type": "dict", "options": {"key": {"type": "str", "no_log": True}, "listen": {"type": "str"}}},
    "logins": {
        "type": "list",
        "elements": "dict",
        "options": {"user": {"type": "str"}, "password": {"type": "str", "no_log": True, "aliases": ["token"]}},
    },
}
SECRET = "s3cret"
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "suboption": (
        {"tls": {"key": SECRET, "listen": "127.0.0.1:2376"}},
        {"tls": {"key": "********", "listen": "127.0.0.1:2376"}},
    ),
    "alias in a list": (
        {"logins": [{"user": "alice", "token": SECRET}]},
        {"logins": [{"user": "alice", "token": "********"}]},
    ),
    "text in place of suboptions": ({"tls": f"key={SECRET}"}, {"tls": "********"}),
    "text in place of a list": ({"logins": [f"token={SECRET}"]}, {"logins": "********"}),
    "misspelt name": ({"logins": [{"passwrod": SECRET}]}, {"logins": [{"passwrod": "********"}]}),
    "misspelt option": ({"tsl": {"key": SECRET}}, {"tsl": "********"}),
    "name in free settings": (
        {"free": {"log-opts": {"splunk-token": SECRET, "tag": "x"}}},
        {"free": {"log-opts": {"splunk-token": "********", "tag": "x"}}},
    ),
    "number": ({"free": {"api-key": 123456}}, {"free": {"api-key": "********"}}),
    "nested below a name": ({"free": {"credentials": [{"a": SECRET}]}}, {"free": {"credentials": "********"}}),
    "address": (
        {"name": f"https://me:{SECRET}@mirror/"},
        {"name": "https://********@mirror/"},
    ),
}


@pytest.mark.parametrize(("parameters", "shown"), CASES.values(), ids=CASES.keys())
def test_a_secret_is_redacted_in_place_and_recognized_anywhere(
    parameters: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert parameter_secrets.hidden(parameters, OPTIONS) == shown
    found = parameter_secrets.secrets_of(parameters, OPTIONS)
    error = f"an error about {SECRET}, key={SECRET}, token={SECRET} and 123456"
    assert any(secret in error for secret in found)


def test_values_that_are_not_secret_are_shown() -> None:
    parameters = {
        "name": "docker",
        "key_file": "/etc/key",
        "tls": None,
        "free": {
            "lock_passwd": True,
            "token": "",
            "password": None,
            "tls-secret": False,
            "/etc/credentials.json": "{}",
            "proxies": {"http-proxy": "http://proxy:3128", "no-proxy": "localhost"},
            "registry-mirrors": ["https://mirror:5000/a@b"],
        },
        "logins": [{"user": "alice", "password": None}],
    }
    assert parameter_secrets.hidden(parameters, OPTIONS) == parameters
    assert parameter_secrets.secrets_of(parameters, OPTIONS) == set()
    assert not parameter_secrets.holds_secret(parameters["free"])


LOG_OPTIONS = {
    **dict.fromkeys(("splunk-token", "logentries-token", "logzio-token", "logzio-key", "x-password", "x-secret"), True),
    **dict.fromkeys(("awslogs-credentials-endpoint", "syslog-tls-key", "splunk-url", "tag", "env-regex"), False),
}


@pytest.mark.parametrize(("name", "is_secret"), LOG_OPTIONS.items())
def test_option_of_a_log_driver_is_secret_for_modules_and_for_the_check_of_images(name: str, is_secret: bool) -> None:
    options = {"log-opts": {name: "/v2/credentials/4711"}}
    assert parameter_secrets.holds_secret(options) is is_secret
    found = [what for what, _ in credentials.matches(json.dumps(options).encode())]
    assert found == ["a log driver secret"] * is_secret


@pytest.mark.parametrize(
    "settings",
    [
        {"https": "http://me:it's-s3cret@proxy:3128"},
        {"https": "http://TOKEN@proxy:3128"},
        {"proxies": {"http-proxy": "me:s3cret@proxy:3128"}},
        {"proxies": {"http-proxy": "s3cret@proxy:3128"}},
        {"proxies": {"https-proxy": "S3CRET@PROXY"}},
        {"proxies": {"HTTPS-PROXY": "http://s3c/ret@proxy:3128"}},
        {"registry-mirrors": ["https://mirror", "s3cret@mirror/v2"]},
        {"insecure-registries": ["s3cret@registry"]},
        {"log-opts": {"splunk-token": "x"}},
    ],
)
def test_settings_with_a_secret_are_recognized(settings: dict[str, Any]) -> None:
    assert parameter_secrets.holds_secret(settings)


def test_a_secret_is_recognized_as_python_and_json_escape_it() -> None:
    found = parameter_secrets.secrets_of({"password": 'ä"\\\n'})
    assert {'ä"\\\n', 'ä"\\\\\\n', '\\u00e4\\"\\\\\\n', 'ä\\"\\\\\\n'} <= found
