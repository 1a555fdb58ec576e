# SPDX-License-Identifier: Apache-2.0
"""Hosts of the lab for tests that break things: real dnf, rpm, systemd and dockerd."""

from collections.abc import Iterator

import pytest

from slipway.lab.workbench import LabHost, Workbench


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    """Where a module makes its hosts, stand-ins all of them; they are gone when the module ends.

    Each takes 7 of the kernel's 128 inotify instances (fs.inotify.max_user_instances): 19 at once do not boot.
    """
    workbench = Workbench("offline")
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def lasting_workbench() -> Iterator[Workbench]:
    """Where the hosts are made that all modules share."""
    workbench = Workbench("offline")
    yield workbench
    workbench.clear()


@pytest.fixture(scope="session")
def fresh_host(lasting_workbench: Workbench) -> LabHost:
    """A host on which nothing may be changed: its tests prove refusals and dry runs."""
    return lasting_workbench.make("test-fresh")


@pytest.fixture(scope="session")
def converged_host(lasting_workbench: Workbench) -> LabHost:
    """A host with a running engine, which every test leaves as it found it."""
    host = lasting_workbench.make("test-converged")
    converged = host.converge()
    assert converged.status == 0, converged.output
    return host
