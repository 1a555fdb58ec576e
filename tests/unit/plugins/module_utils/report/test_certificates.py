# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The end of certificates, read from real ones."""

import datetime

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.report import certificates

from tests.support.certificates import certificate

NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize("days", [-11_000, -400, -1, 0, 1, 30, 3650, 20_000])
def test_days_are_those_until_the_end(days: int) -> None:
    """20 000 days are after 2050, where the form of the time changes; 11 000 days ago the year began with 19."""
    text = certificate(NOW + datetime.timedelta(days=days, hours=1), "x" * 60)
    assert certificates.days_left(text, NOW.timestamp()) == days


def test_the_first_to_end_counts_in_a_chain() -> None:
    chain = certificate(NOW + datetime.timedelta(days=90)) + "comment\n" + certificate(NOW + datetime.timedelta(days=3))
    assert certificates.days_left(chain, NOW.timestamp()) == 3


@pytest.mark.parametrize("body", ["", "AAAA", "MIIB", "!!!", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "\x00"])
def test_what_is_no_certificate_is_unknown(body: str) -> None:
    text = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    assert certificates.days_left(text, 0) is None


def test_every_truncation_of_a_certificate_is_unknown_and_none_crashes() -> None:
    text = certificate(NOW)
    for length in range(40, len(text) - 30, 7):
        assert certificates.days_left(text[:length], 0) in (None, certificates.days_left(text, 0))
