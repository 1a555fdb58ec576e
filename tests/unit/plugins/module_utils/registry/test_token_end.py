# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry.token_end import token_end


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def web_token(**claims: Any) -> str:
    return ".".join([encoded({"alg": "none"}), encoded(claims), "signature"])


@pytest.mark.parametrize(
    ("token", "end"),
    [
        (web_token(exp=1900000000), 1900000000),
        (web_token(exp=1900000000.5), 1900000000),
        (encoded({"payload": "x", "version": "2", "expiration": 1900000000}), 1900000000),
        (web_token(sub="alice"), None),
        *((web_token(exp=value), None) for value in ("1900000000", True, None, -1, 10**30, [1], float("inf"))),
        ("dckr_pat_abc-def", None),
        ("", None),
        ("..", None),
        ("a.é.c", None),
        (encoded([1]), None),
        (encoded({"expiration": 1900000000, "payload": "x" * 20000}), None),
        (f"a.{base64.b64encode(b'[' * 9000).decode()}.c", None),
    ],
)
def test_only_a_token_that_tells_its_end_has_one(token: str, end: int | None) -> None:
    assert token_end(token) == end
