# SPDX-License-Identifier: Apache-2.0
"""What a run may cost, counted in tasks and in modules that are sent to a host."""

from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.workbench import LabHost, Workbench

# Of site.yml with one member and one login. A task that is skipped costs the controller a process for each host, too.
# One of them asks whether there are registry mirrors, whose CAs hosts get from the controller.
MOST_TASKS = 17
MOST_MODULES = 4


@pytest.fixture(scope="module")
def login(workbench: Workbench) -> dict[str, Any]:
    token = hub.credentials(workbench.lab)["alice"]
    return {"username": "alice", "token": token, "user": "alice"}


def test_a_converged_run_stays_within_the_budget_and_changes_nothing(
    converged_host: LabHost, login: dict[str, Any]
) -> None:
    """Fault: the play runs a second time. Outcome: nothing changes, and the engine keeps its process."""
    site = {"docker_access_members": ["alice"], "docker_registry_auth_logins": [login]}
    assert converged_host.converge(**site).status == 0
    pid = converged_host.sh("systemctl show docker.service --property=MainPID --value")
    run = converged_host.converge(**site)
    assert run.status == 0, run.output
    assert run.changed(converged_host.name) == []
    assert converged_host.sh("systemctl show docker.service --property=MainPID --value") == pid

    invocations = run.module_invocations(converged_host.name)
    assert any("Credentials" in name for name in invocations), "a role is missing from the count"
    assert len(invocations) <= MOST_MODULES, invocations
    assert len(run.tasks(converged_host.name)) <= MOST_TASKS, run.tasks(converged_host.name)
