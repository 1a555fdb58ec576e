# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import challenges
from hypothesis import given
from hypothesis import strategies as st

BEARER = 'Bearer realm="https://auth.example.com/token",service="a, \\"b\\"",scope=""'


def test_quoted_strings_keep_their_commas_and_quotes() -> None:
    (challenge,) = challenges.parse([BEARER])
    assert challenge.scheme == "bearer"
    assert challenge.parameters == {"realm": "https://auth.example.com/token", "service": 'a, "b"', "scope": ""}


@pytest.mark.parametrize("headers", [[f"Negotiate, {BEARER}, Basic realm=x"], ["Negotiate", BEARER, "Basic realm=x"]])
def test_several_challenges_may_share_a_header(headers: list[str]) -> None:
    found = challenges.parse(headers)
    assert [challenge.scheme for challenge in found] == ["negotiate", "bearer", "basic"]
    assert found[2].parameters == {"realm": "x"}


PIECES = st.sampled_from(['"', "\\", ",", "=", " ", "a", "Basic ", "realm", "é", "\n"])


@given(st.lists(st.lists(PIECES).map("".join)))
def test_any_header_can_be_parsed(headers: list[str]) -> None:
    assert all(challenge.scheme for challenge in challenges.parse(headers))
