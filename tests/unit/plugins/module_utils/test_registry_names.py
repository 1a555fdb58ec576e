# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import contextlib

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import registry_names
from hypothesis import given
from hypothesis import strategies as st

HUB = sorted(registry_names.HUB_HOSTS)


@given(
    st.sampled_from(HUB),
    st.sampled_from(["", "http://", "https://", "HTTPS://"]),
    st.sampled_from(["", "/", "/v1", "/v1/", "/v2", "/v2//", "//", "/V2/"]),
    st.booleans(),
)
def test_every_spelling_of_docker_hub_ends_at_the_key_that_serves_pulls(
    host: str, scheme: str, path: str, shouted: bool
) -> None:
    address = scheme + (host.upper() if shouted else host) + path
    assert registry_names.key_of(address) == "https://index.docker.io/v1/"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("registry.example.com", "registry.example.com"),
        ("https://Registry.Example.com:5000/v2/", "registry.example.com:5000"),
        ("localhost:5000", "localhost:5000"),
        ("http://[::1]:5000/", "[::1]:5000"),
        ("docker.io.example.com", "docker.io.example.com"),
        ("docker.io:5000", "docker.io:5000"),
        ("docker.io:443", "https://index.docker.io/v1/"),
        ("*", "*"),
    ],
)
def test_other_registries_are_their_host_and_port(address: str, key: str) -> None:
    assert registry_names.key_of(address) == key


@given(st.sampled_from([*HUB, "registry.example.com:5000", "[::1]", "localhost"]))
def test_a_key_is_its_own_key(address: str) -> None:
    key = registry_names.key_of(address)
    assert registry_names.key_of(key) == key


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "empty"),
        ("docker. io", "white space"),
        ("docker.io\n", "white space"),
        ("https://me:secret@docker.io", "holds a user"),
        ("docker.io/library/nginx", "path"),
        ("https://", "not a host name"),
        ("registry:99999", "not a host name"),
        ("registry:port", "not a host name"),
        ("[fe80]", "not a host name"),
        ("ftp://registry", "path"),
        ("régistry.example", "not a host name"),
    ],
)
def test_nonsense_is_refused_with_its_reason(address: str, reason: str) -> None:
    with pytest.raises(registry_names.RegistryNameError, match=reason) as caught:
        registry_names.key_of(address)
    assert "secret" not in str(caught.value)


@given(st.text())
def test_any_address_has_a_key_or_is_refused(address: str) -> None:
    with contextlib.suppress(registry_names.RegistryNameError):
        assert registry_names.key_of(address)


def test_plain_http_is_for_this_host_alone() -> None:
    assert registry_names.api_urls(registry_names.HUB_KEY) == ["https://registry-1.docker.io"]
    assert registry_names.api_urls("registry.example.com") == ["https://registry.example.com"]
    assert registry_names.api_urls("127.0.0.2:5000") == ["https://127.0.0.2:5000", "http://127.0.0.2:5000"]
    assert registry_names.is_loopback("http://[::1]:5000/token")
    assert not registry_names.is_loopback("http://127.0.0.1.example.com/")
