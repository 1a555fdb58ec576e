# SPDX-License-Identifier: Apache-2.0
"""What a run may cost, counted in modules that are sent to a host."""

from slipway.lab.workbench import LabHost

# Of docker_engine with plugins and daemon options set, facts included.
LARGEST = 8


def test_a_converged_run_stays_within_the_budget_and_changes_nothing(converged_host: LabHost) -> None:
    pid = converged_host.sh("systemctl show docker.service --property=MainPID --value")
    run = converged_host.converge()
    assert run.status == 0, run.output
    invocations = run.module_invocations(converged_host.name)
    assert "Gathering Facts" in invocations, "the count is of something else"
    assert len(invocations) <= LARGEST, invocations
    assert run.changed(converged_host.name) == []
    assert converged_host.sh("systemctl show docker.service --property=MainPID --value") == pid
