# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Verdicts on what a swarm's manager says of services and their tasks; tests/lab/test_services.py has a real one."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import containers, swarm

NOW = 1_000_000_000  # 2001-09-09T01:46:40Z
TEMPLATE = {"ContainerSpec": {"Image": "b"}, "ForceUpdate": 0}
OLD = {"ContainerSpec": {"Image": "a"}, "ForceUpdate": 0}


def service(update: str | None = None, mode: str = "Replicated", wanted: int = 1) -> dict[str, Any]:
    found = {"Spec": {"TaskTemplate": TEMPLATE, "Mode": {mode: {}}}, "ServiceStatus": {"DesiredTasks": wanted}}
    return {**found, "UpdateStatus": {"State": update}} if update else found


def task(state: str, spec: dict[str, Any] = TEMPLATE, error: str = "") -> dict[str, Any]:
    status = {"State": state, "Err": error, "Timestamp": "2026-11-30T00:00:00Z"}
    return {"Spec": spec, "Status": status, "DesiredState": "running", "CreatedAt": "2001-09-09T01:46:40.5Z"}


@pytest.mark.parametrize(
    ("described", "tasks", "state"),
    [
        (service(), [task("running")], containers.WELL),
        (service(), [task("running", OLD)], containers.WAITING),
        (service("updating"), [task("running")], containers.WAITING),
        (service("completed"), [task("running")], containers.WELL),
        (service("paused"), [task("running")], containers.FAILED),
        (service("rollback_completed"), [task("running", OLD)], containers.FAILED),
        (service(), [task("failed"), task("failed"), task("starting")], containers.WAITING),
        (service(), [task("failed")] * 3, containers.FAILED),
        (service(mode="ReplicatedJob"), [task("complete")], containers.WELL),
    ],
)
def test_a_service_is_well_waited_for_or_failed(
    described: dict[str, Any], tasks: list[dict[str, Any]], state: str
) -> None:
    assert swarm.judge(described, tasks, NOW)[0].state == state


def test_failures_of_an_earlier_run_do_not_count() -> None:
    """Fault: a version failed, and is deployed again once what it needs is there. Outcome: it is waited for."""
    assert swarm.judge(service(), [task("failed")] * 3, NOW + 1)[0].state == containers.WAITING
    assert swarm.judge(service(), [*[task("failed")] * 3, task("running")], NOW + 1)[0].state == containers.WELL


def test_the_error_of_a_task_is_the_reason() -> None:
    tasks = [task("rejected", error="No such image: x")] * 3
    assert "No such image: x" in swarm.judge(service(), tasks, NOW)[0].reason


@pytest.mark.parametrize(
    ("info", "leader", "role"),
    [
        ({}, False, swarm.NONE),
        ({"LocalNodeState": "inactive"}, False, swarm.NONE),
        ({"LocalNodeState": "active", "ControlAvailable": False}, False, swarm.WORKER),
        ({"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "n"}, False, swarm.MANAGER),
        ({"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "n"}, True, swarm.LEADER),
    ],
)
def test_only_the_leader_of_a_swarm_deploys(info: dict[str, Any], leader: bool, role: str) -> None:
    assert swarm.role_of({"Swarm": info}, lambda url: {"ManagerStatus": {"Leader": leader}}) == role
