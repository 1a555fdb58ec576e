# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import contextlib

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import names as registry_names
from hypothesis import given
from hypothesis import strategies as st

HUB = sorted(registry_names.HUB_HOSTS)


@given(
    st.sampled_from(HUB),
    st.sampled_from(["", "http://", "https://", "HTTPS://"]),
    st.sampled_from(["", "/", "/v1", "/v1/", "/v2", "/v2//", "//", "/V2/"]),
    st.booleans(),
)
def test_every_spelling_of_docker_hub_maps_to_the_key_for_pulls(
    host: str, scheme: str, path: str, uppercase: bool
) -> None:
    address = scheme + (host.upper() if uppercase else host) + path
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
def test_the_key_of_other_registries_is_host_and_port(address: str, key: str) -> None:
    assert registry_names.key_of(address) == key


@given(st.sampled_from([*HUB, "registry.example.com:5000", "[::1]", "localhost"]))
def test_keys_map_to_themselves(address: str) -> None:
    key = registry_names.key_of(address)
    assert registry_names.key_of(key) == key


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "empty"),
        ("docker. io", "whitespace"),
        ("docker.io\n", "whitespace"),
        ("https://me:secret@docker.io", "contains an @"),
        ("docker.io/library/nginx", "path"),
        ("https://", "not a host name"),
        ("registry:99999", "not a host name"),
        ("registry:port", "not a host name"),
        ("[fe80]", "not a host name"),
        ("ftp://registry", "path"),
        ("régistry.example", "not a host name"),
    ],
)
def test_an_invalid_address_is_rejected_with_the_reason(address: str, reason: str) -> None:
    with pytest.raises(registry_names.RegistryNameError, match=reason) as caught:
        registry_names.key_of(address)
    assert "secret" not in str(caught.value)


@given(st.text())
def test_any_address_has_a_key_or_is_rejected(address: str) -> None:
    with contextlib.suppress(registry_names.RegistryNameError):
        assert registry_names.key_of(address)


def test_plain_http_is_tried_on_loopback_addresses_only() -> None:
    assert registry_names.api_urls(registry_names.HUB_KEY) == ["https://registry-1.docker.io"]
    assert registry_names.api_urls("registry.example.com") == ["https://registry.example.com"]
    assert registry_names.api_urls("127.0.0.2:5000") == ["https://127.0.0.2:5000", "http://127.0.0.2:5000"]


@pytest.mark.parametrize(
    "address", ["registry..example.com", "registry.example..com:5000", "a" * 64 + ".example.com", "a.b" * 100 + ".de"]
)
def test_a_name_that_dns_cannot_have_is_rejected(address: str) -> None:
    """Fault: a registry with an empty part or one of 64 characters in its name. Outcome: refused in one sentence."""
    with pytest.raises(registry_names.RegistryNameError, match="1 to 63 characters"):
        registry_names.key_of(address)
    assert registry_names.key_of("a" * 63 + ".example.com:5000")
