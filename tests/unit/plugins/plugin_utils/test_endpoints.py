# SPDX-License-Identifier: Apache-2.0
from ansible_collections.slipway.platform.plugins.plugin_utils.endpoints import unencrypted


def test_https_localhost_and_the_default_endpoint_are_safe() -> None:
    assert unencrypted(["", "https://a.example.com", "http://127.0.0.1:80", "http://localhost/", "http://[::1]"]) == []


def test_an_address_that_only_looks_local_is_unencrypted() -> None:
    others = ["http://a.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "a.example.com"]
    assert unencrypted(others) == others
