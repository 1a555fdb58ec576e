# SPDX-License-Identifier: Apache-2.0
"""slipway-health: an instance whose engine stays dead is reported, unless that would harm its group."""

from typing import Any

import pytest
from slipway_agent.fleet import guard, health

from tests.support import stand_in_aws
from tests.support.stand_in_aws import GROUP, INSTANCE
from tests.unit.agent.fleet.conftest import Instance

SET = "SetInstanceHealth"
OK = ["InService", "Healthy"]


def check(instance: Instance, times: int = 1, **settings: Any) -> None:
    for _ in range(times):
        assert health.main(instance.settings_file(**settings), str(instance.folder / "health.json")) == 0


def test_an_engine_that_stays_dead_is_reported_once(instance: Instance, capsys: Any) -> None:
    """Fault: the engine of an instance in service dies for good. Outcome: after some checks in a row the group is told,
    once, and replaces the instance.
    """
    instance.kill_engine()
    check(instance, 2)
    assert instance.calls() == []
    check(instance)
    assert instance.state() == ["InService", "Unhealthy"]
    assert instance.last(SET)["ShouldRespectGracePeriod"] == "true"
    assert f"reported as unhealthy to the group {GROUP}" in capsys.readouterr().out
    check(instance)
    assert instance.calls().count(SET) == 1
    assert "the group knows already" in capsys.readouterr().out


def test_an_engine_that_recovers_is_not_reported(instance: Instance, capsys: Any) -> None:
    instance.kill_engine()
    check(instance, 2)
    instance.revive_engine()
    check(instance, 2)
    assert capsys.readouterr().out.count("responds again after 2 failed checks") == 1
    instance.kill_engine()
    check(instance, 2)
    assert instance.calls() == []


def test_a_damaged_counter_starts_again(instance: Instance) -> None:
    (instance.folder / "health.json").write_text("{")
    instance.kill_engine()
    check(instance, 2)
    assert instance.calls() == []


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        ({"state": "Standby"}, "it is Standby, not in service"),
        ({"state": "Pending:Wait"}, "it is Pending:Wait, not in service"),
        ({"refreshes": ["Successful", "InProgress"]}, "an instance refresh is in progress"),
        ({"others": {"i-1": OK, "i-2": ["InService", "Unhealthy"], "i-3": ["Terminating", "Healthy"]}}, "3 of 4"),
        ({"others": {"i-1": OK}, "desired": 6}, "5 of 6 instances would be out of service, more than 50 %"),
    ],
)
def test_a_group_that_is_busy_or_weak_is_spared(
    instance: Instance, capsys: Any, group: dict[str, Any], reason: str
) -> None:
    """Fault: an engine dies while its instance is in standby, during an instance refresh, or while too many others are
    out of service. Outcome: not reported, with the reason, until that has passed.
    """
    instance.group(**group)
    instance.kill_engine()
    check(instance, 3)
    assert SET not in instance.calls()
    assert f"not reported to the group {GROUP}: " in (said := capsys.readouterr().out)
    assert reason in said
    instance.group()
    check(instance)
    assert instance.state() == ["InService", "Unhealthy"]


def test_a_fleet_of_one_is_replaced_and_a_stranger_is_not(instance: Instance, capsys: Any) -> None:
    instance.kill_engine()
    instance.write(stand_in_aws.GROUP_FILE, {**stand_in_aws.LONE_GROUP, "members": {}})
    check(instance, health_checks=1, health_share=1)
    assert "it is not in the group" in capsys.readouterr().out
    instance.group()
    check(instance, health_checks=1, health_share=1)
    assert instance.state() == ["InService", "Unhealthy"]


def test_an_instance_without_a_group_is_not_reported(
    instance: Instance, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in_aws, "GROUP", "")
    instance.kill_engine()
    check(instance, health_checks=1)
    assert "in no Auto Scaling group, so nobody replaces it" in capsys.readouterr().out
    assert instance.calls() == []


@pytest.mark.parametrize("fault", ["throttle", "deny"])
def test_a_report_that_fails_fails_the_unit_and_the_next_check_reports(
    instance: Instance, capsys: Any, fault: str
) -> None:
    """Fault: Auto Scaling throttles the report, or the role may not send it. Outcome: the unit fails with the reason;
    the next check tries again.
    """
    instance.group(faults={SET: [fault]})
    instance.kill_engine()
    assert health.main(instance.settings_file(health_checks=1), str(instance.folder / "health.json")) == 1
    assert f"autoscaling:{SET}" in capsys.readouterr().err
    check(instance, health_checks=1)
    assert instance.state() == ["InService", "Unhealthy"]


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_malformed_settings_are_reported_with_their_path(instance: Instance, capsys: Any, text: str) -> None:
    path = instance.folder / "fleet.json"
    path.write_text(text)
    assert health.main(str(path), str(instance.folder / "health.json")) == 1
    assert health.main("/none", str(instance.folder / "health.json")) == 1
    said = capsys.readouterr().err
    assert f"{path} is malformed: run the role docker_firstboot again" in said
    assert "/none cannot be read" in said


@pytest.mark.parametrize(
    ("healthy", "sick", "share", "allowed"),
    [(1, 0, 1, True), (2, 0, 30, True), (1, 1, 30, False), (9, 1, 30, True), (8, 2, 30, True), (7, 3, 30, False)],
)
def test_never_more_than_the_share_is_out_of_service(healthy: int, sick: int, share: int, allowed: bool) -> None:
    """healthy: with the instance itself."""
    states = [(INSTANCE, "Healthy"), *[(f"i-{n}", "Healthy") for n in range(healthy - 1)]]
    states += [(f"x-{n}", "Unhealthy") for n in range(sick)]
    members = [{"InstanceId": name, "LifecycleState": "InService", "HealthStatus": state} for name, state in states]
    description = {"Instances": members, "DesiredCapacity": str(healthy + sick)}
    assert (guard.objection(description, INSTANCE, share, []) == "") is allowed
