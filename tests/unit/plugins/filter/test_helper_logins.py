# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.filter.helper_logins import helper_logins


def test_every_user_of_every_registry_gets_a_login_and_root_where_nobody_is_named() -> None:
    entries = [{"registry": "registry.example.com", "users": ["alice", "bob"]}, {"secret": "hub"}]
    assert helper_logins(entries, "slipway") == [
        {"registry": "registry.example.com", "user": "alice", "helper": "slipway"},
        {"registry": "registry.example.com", "user": "bob", "helper": "slipway"},
        {"registry": "docker.io", "user": "root", "helper": "slipway"},
    ]
