# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Addresses that an instance waits for are checked while its image is baked."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import firstboot_values
from hypothesis import example, given
from hypothesis import strategies as st


def problems(value: Any) -> list[str]:
    found: list[str] = firstboot_values.problems({"wait_for": value}, "docker_firstboot_{}")
    return found


@pytest.mark.parametrize(
    "address",
    [
        "registry.example.com:443",
        "registry.example.com.:443",
        "my_registry-1:5000",
        "10.0.0.1:80",
        "localhost:65535",
        "[::1]:80",
        "[fe80::1%ens5]:80",
        "[::ffff:10.0.0.1]:1",
        f"{'a' * 63}.example:1",
        "1a:80",
    ],
)
def test_addresses_are_accepted(address: str) -> None:
    assert problems([address]) == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("registry.example.com", "has no port"),
        ("registry.example.com:", "has no port"),
        ("https://registry.example.com", "is a URL"),
        ("https://registry.example.com:443", "is a URL"),
        ("a:99999", "has a port outside 1 to 65535"),
        ("a:0", "has a port outside 1 to 65535"),
        ("a:" + "9" * 5000, "has a port outside 1 to 65535"),
        ("a:000443", "has a port outside 1 to 65535"),
        ("a..b:443", "has an invalid host name"),
        (".a:443", "has an invalid host name"),
        (":443", "has an invalid host name"),
        ("-a:443", "has an invalid host name"),
        (f"{'a' * 64}.example:443", "has an invalid host name"),
        (f"{'a.' * 127}a:443", "has an invalid host name"),
        ("10.0.0.256:443", "has an invalid host name"),
        ("10.0.1:443", "has an invalid host name"),
        ("bücher.example:443", "has an invalid host name"),
        ("ops@a:443", "has an invalid host name"),
        ("a b:443", "has an invalid host name"),
        ("[::g]:443", "has no IPv6 address in its brackets"),
        ("[10.0.0.1]:443", "has no IPv6 address in its brackets"),
        ("::1:443", "is malformed"),
        ("a:443\n", "is malformed"),
        ("a:\u0664\u0664\u0663", "is malformed"),
        (443, "is not a text: quote it"),
        (None, "is not a text: quote it"),
    ],
)
def test_an_address_at_which_a_boot_would_fail_is_refused_with_the_reason(address: Any, reason: str) -> None:
    """Fault: an address to wait for has no port, is a URL or has an impossible name. Outcome: the bake is refused, and
    says which entry and why."""
    assert problems(["a:1", address]) == [
        f"docker_firstboot_wait_for contains an invalid address: entry 2 {reason}; use host:port, with IPv6 addresses "
        "in brackets."
    ]


@pytest.mark.parametrize("value", ["a:1", None, {"a": 1}, 443])
def test_another_type_is_refused(value: Any) -> None:
    (sentence,) = problems(value)
    assert "it is not a list" in sentence


ADDRESSES = st.text(st.sampled_from("ab.-_:[]%0123456789\u0663ä \n"), max_size=30) | st.text()


@given(ADDRESSES)
@example("a..b:443")
@example("[::1%]:1")
@example("x" * 64 + ":1")
def test_what_is_accepted_can_be_connected_to(address: str) -> None:
    if not problems([address]):
        host, _, port = address.rpartition(":")
        assert 1 <= int(port) <= 65535
        assert host.strip("[]").encode("idna")
        assert address.isascii()


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none() | st.text())


@given(st.dictionaries(st.sampled_from(sorted(firstboot_values.FORMATS)), ANYTHING))
def test_any_values_are_accepted_or_reported(settings: dict[str, Any]) -> None:
    for sentence in firstboot_values.problems(settings, "{} in user_data_firstboot"):
        assert sentence.splitlines() == [sentence]
