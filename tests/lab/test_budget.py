# SPDX-License-Identifier: Apache-2.0
"""What a run may cost, counted in modules that are sent to a host."""

from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.workbench import LabHost, Workbench

# Facts included. docker_engine with plugins and daemon options set; all roles with one member and one login.
LARGEST_OF_ENGINE = 8
LARGEST_OF_SITE = 12


@pytest.fixture(scope="module")
def login(workbench: Workbench) -> dict[str, Any]:
    token = hub.credentials(workbench.engine.client)["alice"]
    return {"username": "alice", "token": token, "user": "alice"}


def test_a_converged_run_stays_within_the_budget_and_changes_nothing(
    converged_host: LabHost, login: dict[str, Any]
) -> None:
    site = {"docker_access_members": ["alice"], "docker_registry_auth_logins": [login]}
    assert converged_host.converge(**site).status == 0
    pid = converged_host.sh("systemctl show docker.service --property=MainPID --value")
    run = converged_host.converge(**site)
    assert run.status == 0, run.output
    assert run.changed(converged_host.name) == []
    assert converged_host.sh("systemctl show docker.service --property=MainPID --value") == pid

    invocations = run.module_invocations(converged_host.name)
    of_engine = [name for name in invocations if "docker_engine" in name or name == "Gathering Facts"]
    assert "Gathering Facts" in invocations, "the count is of something else"
    assert any("Credentials" in name for name in invocations), "a role is missing from the count"
    assert len(of_engine) <= LARGEST_OF_ENGINE, of_engine
    assert len(invocations) <= LARGEST_OF_SITE, invocations
