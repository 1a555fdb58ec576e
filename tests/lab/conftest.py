# SPDX-License-Identifier: Apache-2.0
"""Hosts of the lab for tests that break things: real dnf, rpm, systemd and dockerd."""

from collections.abc import Iterator

import pytest

from slipway.lab.workbench import LabHost, Workbench


@pytest.fixture(scope="session")
def workbench() -> Iterator[Workbench]:
    """Where hosts are made, stand-ins all of them; those that were made are gone when the session ends."""
    workbench = Workbench("offline")
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def fresh_host(workbench: Workbench) -> LabHost:
    """A host on which nothing may be changed: its tests prove refusals and dry runs."""
    return workbench.make("test-fresh")


@pytest.fixture(scope="session")
def converged_host(workbench: Workbench) -> LabHost:
    """A host with a running engine, which every test leaves as it found it."""
    host = workbench.make("test-converged")
    converged = host.converge()
    assert converged.status == 0, converged.output
    return host
