# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Fixtures for the tests of several packages."""

import resource
from collections.abc import Iterator

import pytest


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Limit memory to less than the size of the sparse files in these tests."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
