# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from urllib.parse import quote

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import url_secrets
from hypothesis import given
from hypothesis import strategies as st

PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(PASSWORDS)
def test_a_password_is_known_raw_decoded_and_as_part_of_its_url(password: str) -> None:
    url = "http://me:{}@proxy:3128".format(quote(password, safe=""))
    assert {url, quote(password, safe=""), password} <= url_secrets.secrets_of({"proxies": [url]})
    assert url_secrets.split_credentials(url) == ("http://proxy:3128", "me", password)


@given(PASSWORDS)
def test_a_redacted_text_has_no_password(password: str) -> None:
    url = "http://me:{}@proxy:3128/".format(quote(password, safe=""))
    assert url_secrets.redact('{"proxy": "' + url + '"}') == '{"proxy": "http://me:********@proxy:3128/"}'


@pytest.mark.parametrize("url", ["http://proxy:3128", "http://me@proxy:3128", "proxy:3128", "", None, True, 3])
def test_without_a_password_there_is_no_secret(url: object) -> None:
    assert url_secrets.secrets_of(url) == set()


@pytest.mark.parametrize("url", ["http://me:a/b@proxy", "http://me:a@b@proxy", "http://me:a:b@proxy"])
def test_a_sloppily_written_password_is_hidden_whole(url: str) -> None:
    assert url_secrets.redact(url) == "http://me:********@proxy"
