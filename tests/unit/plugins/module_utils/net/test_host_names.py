# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.net import host_names


@pytest.mark.parametrize("name", ["a", "a" * 63 + ".example.com", "example.com.", ".".join(["a" * 49] * 5)])
def test_a_name_that_dns_can_have_is_accepted(name: str) -> None:
    assert host_names.is_dns_name(name)


@pytest.mark.parametrize("name", ["", ".", "a..b", "a" * 64, "example.com..", ".".join(["a" * 49] * 6)])
def test_a_name_that_dns_cannot_have_is_not(name: str) -> None:
    assert not host_names.is_dns_name(name)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])
def test_addresses_of_this_machine_are_loopback(host: str) -> None:
    assert host_names.is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com"])
def test_what_may_be_another_machine_is_not_loopback(host: str) -> None:
    assert not host_names.is_loopback(host)


def test_the_host_of_a_url_counts() -> None:
    assert host_names.is_loopback_url("http://[::1]:5000/token")
    assert not host_names.is_loopback_url("http://127.0.0.1@example.com/")
    assert not host_names.is_loopback_url("http://127.0.0.1.example.com/")
