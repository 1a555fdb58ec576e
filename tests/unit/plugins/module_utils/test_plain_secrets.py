# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import plain_secrets

TOKEN = "dckr_pat_" + "a1B2c3D4e5F6g7H8i9J0k1"


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"users": [{"name": "ops", "hashed_passwd": "$6$x"}]}, "a value for hashed_passwd"),
        ({"chpasswd": {"users": [{"name": "ops"}]}}, "a value for chpasswd"),
        ({"ssh_keys": {"rsa_private": "x"}}, "a value for ssh_keys"),
        ({"bootcmd": [["sh", "-c", f"login --with {TOKEN}"]]}, "a token of Docker"),
        ({"apt": {"proxy": "http://ops:Tr0ub4dor@proxy.internal:3128"}}, "a password in a URL"),
        ({"registry_token": "x"}, "a value for registry_token"),
        ([{"deep": [[{"API_KEY": "x"}]]}], "a value for API_KEY"),
    ],
)
def test_a_secret_is_found_by_its_name_or_its_form_and_not_told(settings: Any, found: str) -> None:
    assert plain_secrets.find(settings) == [found]


def test_what_is_no_secret_is_none() -> None:
    harmless = {
        "users": [{"name": "ops", "lock_passwd": True, "ssh_authorized_keys": ["ssh-ed25519 AAAA ops"]}],
        "ssh_pwauth": False,
        "password": "",
        "timezone": "Europe/Berlin",
        "bootcmd": [["echo", "the token is in Secrets Manager"]],
    }
    assert plain_secrets.find(harmless) == []
