# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from urllib.parse import quote

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies, url_secrets
from hypothesis import given
from hypothesis import strategies as st

PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(PASSWORDS)
def test_a_password_is_recognized_encoded_decoded_and_within_its_url(password: str) -> None:
    url = "http://me:{}@proxy:3128".format(quote(password, safe=""))
    assert {url, quote(password, safe=""), password} <= url_secrets.secrets_of({"proxies": [url]})
    assert url_secrets.split_credentials(url) == ("http://proxy:3128", "me", password)


@given(PASSWORDS)
def test_redacted_text_contains_no_password(password: str) -> None:
    url = "http://me:{}@proxy:3128/".format(quote(password, safe=""))
    assert url_secrets.redact('{"proxy": "' + url + '"}') == '{"proxy": "http://********@proxy:3128/"}'


@given(st.lists(st.sampled_from([*"aZ09._~!$&'()*+,;=:-", "%40", "%2f"]), min_size=1).map("".join))
def test_credentials_in_every_valid_address_are_found_and_redacted(userinfo: str) -> None:
    """Whatever is_address accepts, the others recognize, including apostrophes and other delimiters."""
    address = f"http://{userinfo}@proxy:3128"
    assert proxies.is_address(address)
    assert url_secrets.holds_userinfo({"proxies": [address]})
    assert url_secrets.secrets_of([address])
    assert url_secrets.redact(f"{{'http': '{address}'}}") == "{'http': 'http://********@proxy:3128'}"
    assert url_secrets.redact_value(address) == "http://********@proxy:3128"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://me:it's-s3cret@proxy.example.com:3128", "it's-s3cret"),
        ("https://0123-token@repo/", "0123-token"),
        ("https://0123-token:@repo/", "0123-token"),
        ("https://0123-token:x-oauth-basic@git.example.com/", "0123-token"),
        ("https://me@example.com:s3cret@mirror/", "s3cret"),
        ("me:s3cret@proxy:3128", "s3cret"),
        ("0123-token@proxy:3128", "0123-token"),
        ("0123-TOKEN@PROXY.CORP:3128/", "0123-TOKEN"),
        ("0123-token@[fd00::1]:3128", "0123-token"),
        ("0123-token@mirror/linux", "0123-token"),
        ("me:s3cret@mirror.example.com:8443/linux/gpg", "s3cret"),
        ("http://me:two\nlines@proxy:3128", "two\nlines"),
    ],
)
def test_the_secret_part_of_an_address_is_found_and_redacted(url: str, secret: str) -> None:
    assert secret in url_secrets.secrets_of({"options": [url]})
    assert secret not in url_secrets.redact_value(url)
    assert "://" not in url or "\n" in url or secret not in url_secrets.redact(f'a text with "{url}" in it')


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy:3128",
        "http://proxy:3128/a@b",
        "http://[::1]:3128/a@b",
        "https://mirror/npm/@scope",
        "https://mirror/?mail=me@example.com",
        "team/app:1@sha256:" + "a" * 64,
        "me@example.com",
        "app@sha256:" + "1" * 64,
        "app:1@sha256:" + "1" * 64,
        "registry:5000/app@sha256:" + "a" * 64,
        "contact=me@example.com/ops",
        "/srv/a@b/c",
        "getty@tty1.service",
        "proxy:3128",
        "",
        None,
        True,
        3,
    ],
)
def test_an_address_without_userinfo_has_no_secret(url: object) -> None:
    assert url_secrets.secrets_of(url) == set()
    assert not url_secrets.holds_userinfo(url)


def test_a_short_user_name_is_redacted_only_within_its_url() -> None:
    """Elsewhere, its letters may be part of any word."""
    assert url_secrets.secrets_of("http://me@proxy:3128") == {"http://me@proxy:3128", "me@"}
    assert url_secrets.redact("me at http://me@proxy:3128") == "me at http://********@proxy:3128"


@pytest.mark.parametrize("url", ["http://me:a/b@proxy", "http://me:a@b@proxy", "http://me:a:b@proxy"])
def test_an_unencoded_password_is_redacted_completely(url: str) -> None:
    assert url_secrets.redact(url) == "http://********@proxy"
