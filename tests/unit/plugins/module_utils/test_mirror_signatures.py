# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""rpmkeys itself is run in tests/lab; these are its words, of rpm 4.14 to 4.18."""

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.mirror_signatures import intact_in

GOOD = "/m/good.rpm"


def test_what_is_signed_is_intact() -> None:
    assert intact_in("/m/good.rpm: digests signatures OK\n", [GOOD]) == {GOOD}


@pytest.mark.parametrize(
    "verdict",
    [
        ": digests OK",  # unsigned, where rpm does not mind
        ": digests SIGNATURES NOT OK",
        ": DIGESTS SIGNATURES NOT OK",
        ": digests signatures NOT OK",
        ":",
    ],
)
def test_every_other_verdict_is_not(verdict: str) -> None:
    assert intact_in(f"/m/good.rpm: digests signatures OK\n/m/bad.rpm{verdict}\n", [GOOD, "/m/bad.rpm"]) == {GOOD}


def test_a_package_that_breaks_off_its_line_does_not_hide_the_next() -> None:
    output = "error: /m/bad.rpm: signature hdr blob(4388): BAD, read returned 0\n/m/bad.rpm:"
    output += "/m/good.rpm: digests signatures OK\n"
    assert intact_in(output, ["/m/bad.rpm", GOOD]) == {GOOD}
