# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.filter.logins_with_secret import logins_with_secret


def test_only_logins_that_store_a_secret_are_named_and_the_secret_is_not() -> None:
    logins = [
        {"username": "acme", "token": "4711"},
        {"registry": "registry.example.com", "user": "ci", "password": "4711", "helper": "pass"},
        {"registry": "a.example.com", "helper": "ecr-login"},
        {"registry": "b.example.com", "password": "4711", "state": "absent"},
    ]
    assert logins_with_secret(logins) == ["user root at docker.io", "user ci at registry.example.com"]
