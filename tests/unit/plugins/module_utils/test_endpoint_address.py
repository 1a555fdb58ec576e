# SPDX-License-Identifier: Apache-2.0
from ansible_collections.slipway.platform.plugins.module_utils.endpoint_address import in_clear


def test_https_the_host_itself_and_the_usual_address_are_private() -> None:
    assert in_clear(["", "https://a.example.com", "http://127.0.0.1:80", "http://localhost/", "http://[::1]"]) == []


def test_what_only_looks_like_the_host_itself_is_in_clear() -> None:
    others = ["http://a.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "a.example.com"]
    assert in_clear(others) == others
