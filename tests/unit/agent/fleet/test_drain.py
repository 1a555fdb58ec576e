# SPDX-License-Identifier: Apache-2.0
"""slipway-drain: an instance that ends stops its containers in order, and tells its group."""

import datetime
import threading
from typing import Any

import pytest
from slipway_agent.aws.autoscaling import Membership
from slipway_agent.boot import waiting
from slipway_agent.fleet import drain, notices

from tests.support import stand_in_aws
from tests.support.stand_in_aws import GROUP
from tests.unit.agent.fleet.conftest import TERMINATION, Instance

COMPLETE = "CompleteLifecycleAction"
END = {"autoscaling/target_lifecycle_state": "Terminated"}
RISK = {"events/recommendations/rebalance": '{"noticeTime": "2026-01-01T00:00:00Z"}'}
DRAINED = ["docker stop -t 30 web", "docker stop -t 10 database", "journalctl --sync"]
NOW = datetime.datetime(2026, 1, 1, 12, 0, 0, tzinfo=datetime.UTC)


def interrupted(action: str = "terminate", time: str = "2026-01-01T12:02:00Z") -> dict[str, str]:
    return {"spot/instance_action": f'{{"action": "{action}", "time": "{time}"}}'}


@pytest.fixture(autouse=True)
def application(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database, and a web server that was started after it and needs up to 30 seconds to stop."""
    monkeypatch.setattr(drain, "RETRY_SECONDS", 0.05)
    instance.containers(database=("2026-01-01T00:00:00.12Z", None), web=("2026-01-01T00:00:00.123Z", 30))


def run(instance: Instance, **settings: Any) -> int:
    status: int = drain.main(instance.settings_file(**settings))
    return status


def look(instance: Instance, **settings: Any) -> drain.Watch:
    """Look for the end once, as the command does again and again."""
    watch = drain.Watch(instance.settings(**settings))
    watch.ends()
    return watch


def test_an_instance_that_its_group_terminates_stops_containers_in_order_and_then_completes(
    instance: Instance, capsys: Any
) -> None:
    instance.notice(**END)
    instance.group("Terminating:Wait", (TERMINATION,))
    assert run(instance, drain_units=["fluent-bit.service"]) == 0
    assert instance.asked() == [*DRAINED[:2], "systemctl stop fluent-bit.service", DRAINED[2]]
    assert instance.state()[0] == "Terminating:Proceed"
    assert instance.last(COMPLETE)["LifecycleActionResult"] == "CONTINUE"
    assert f"completed the termination in the group {GROUP}" in capsys.readouterr().out


def test_it_waits_for_its_end(instance: Instance) -> None:
    instance.group("Terminating:Wait", (TERMINATION,))
    thread = threading.Thread(target=run, args=[instance])
    thread.start()
    waiting.until(lambda: has_looked(instance), 30)
    assert instance.asked() == []
    instance.notice(**END)
    thread.join(30)
    assert instance.asked() == DRAINED


def has_looked(instance: Instance) -> None:
    looks = sum(count for path, count in instance.aws.requests.items() if path.endswith("rebalance"))
    if looks < 3:
        raise waiting.NotYetError("it has not looked yet")


def test_the_time_limit_ends_the_grace_of_containers(instance: Instance) -> None:
    instance.notice(**END)
    run(instance, drain_seconds=20)
    assert instance.asked()[0].startswith(("docker stop -t 20 web", "docker stop -t 19 web"))


def test_what_cannot_be_stopped_holds_nothing_up(instance: Instance, capsys: Any) -> None:
    """Fault: a container of an instance that ends cannot be stopped, or its engine is dead. Outcome: named; the rest is
    done, and the group is told.
    """
    instance.notice(**END)
    instance.group("Terminating:Wait", (TERMINATION,))
    instance.containers(web=("2026-01-01T00:00:00Z", 1), stuck=("2026-01-02T00:00:00Z", 0))
    assert run(instance) == 0
    assert instance.asked() == ["docker stop -t 0 stuck", "docker stop -t 1 web", "journalctl --sync"]
    assert "not stopped stuck (permission denied)" in capsys.readouterr().out
    instance.kill_engine()
    instance.group("Terminating:Wait", (TERMINATION,))
    assert run(instance) == 0
    assert "because the engine does not respond (Cannot connect" in capsys.readouterr().out
    assert instance.state()[0] == "Terminating:Proceed"


@pytest.mark.parametrize("fault", ["throttle", "fail", "expire"])
def test_the_group_is_told_in_spite_of_what_passes(instance: Instance, fault: str) -> None:
    """Fault: Auto Scaling throttles, fails, or the credentials expire while an instance drains. Outcome: tried again;
    the instance drains once.
    """
    instance.notice(**END)
    instance.group("Terminating:Wait", (TERMINATION,), faults={COMPLETE: [fault, fault]})
    assert run(instance) == 0
    assert instance.state()[0] == "Terminating:Proceed"
    assert instance.asked() == DRAINED


def test_a_role_without_permission_fails_the_unit(instance: Instance, capsys: Any) -> None:
    instance.notice(**END)
    instance.group("Terminating:Wait", (TERMINATION,), faults={COMPLETE: ["deny"]})
    assert run(instance) == 1
    assert f"is not allowed to call autoscaling:{COMPLETE}" in capsys.readouterr().err
    assert instance.asked() == DRAINED


def test_a_hook_that_does_not_wait_yet_is_waited_for(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    instance.notice(**END)
    instance.group("Terminating")
    told = drain.told

    def told_later(member: Any) -> Any:
        try:
            return told(member)
        finally:
            instance.group("Terminating:Wait", (TERMINATION,))

    monkeypatch.setattr(drain, "told", told_later)
    assert run(instance) == 0
    assert instance.calls(COMPLETE) == ["DescribeAutoScalingGroups"]


def test_an_end_without_a_hook_or_a_group_is_no_failure(
    instance: Instance, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.notice(**END)
    instance.group("Terminating:Proceed")
    assert run(instance) == 0
    assert f"no hook of the group {GROUP} waits for the end" in capsys.readouterr().out
    monkeypatch.setattr(stand_in_aws, "GROUP", "")
    monkeypatch.setattr(Membership, "target_state", lambda member: None)
    assert run(instance) == 0
    assert "this instance is in no Auto Scaling group" in capsys.readouterr().out


def test_an_interrupted_spot_instance_drains_in_the_same_way(instance: Instance) -> None:
    """Fault: AWS interrupts a Spot instance. Outcome: it drains at once, and completes when its group terminates it."""
    instance.notice(**interrupted())
    watch = look(instance)
    assert instance.asked() == DRAINED
    watch.ends()
    assert instance.asked() == DRAINED
    assert instance.calls() == []
    instance.notice(**END)
    assert watch.ends()
    assert instance.asked() == DRAINED


@pytest.mark.parametrize(
    ("time", "left"),
    [
        ("2026-01-01T12:02:00Z", 105),
        ("2026-01-01T12:01:00Z", 45),
        ("2026-01-01T12:00:05Z", 0),
        ("2026-01-01T13:00:00Z", 105),
        ("2025-12-31T23:00:00Z", 105),
        ("soon", 105),
    ],
)
def test_the_notice_says_how_long_is_left_whatever_the_clock(instance: Instance, time: str, left: int) -> None:
    instance.notice(**interrupted(time=time))
    assert notices.interruption(instance_metadata(instance), NOW) == left


@pytest.mark.parametrize("action", ["stop", "hibernate"])
def test_an_instance_that_returns_is_not_drained(instance: Instance, action: str) -> None:
    instance.notice(**interrupted(action))
    look(instance)
    assert instance.asked() == []


def instance_metadata(instance: Instance) -> Any:
    return drain.Watch(instance.settings()).member.metadata


def test_a_spot_instance_at_risk_is_reported_and_drained(instance: Instance) -> None:
    instance.group(others={"i-1": ["InService", "Healthy"]})
    instance.notice(**RISK)
    look(instance)
    assert instance.state() == ["InService", "Unhealthy"]
    assert instance.last("SetInstanceHealth")["ShouldRespectGracePeriod"] == "false"
    assert instance.asked() == DRAINED


def test_a_group_that_rebalances_replaces_it_first(instance: Instance, capsys: Any) -> None:
    instance.group(rebalances=True)
    instance.notice(**RISK)
    look(instance)
    assert (instance.state(), instance.asked()) == (["InService", "Healthy"], [])
    assert "replaces it first" in capsys.readouterr().out


def test_instances_at_risk_do_not_all_leave_at_once(instance: Instance, capsys: Any) -> None:
    """Fault: AWS recommends to replace all Spot instances of a group. Outcome: no more than the share of the group
    leaves at a time; the others serve on, and ask again later.
    """
    instance.group(others={"i-1": ["InService", "Unhealthy"]})
    instance.notice(**RISK)
    watch = look(instance)
    calls = instance.calls()
    watch.ends()
    assert (instance.calls(), instance.asked()) == (calls, [])
    assert "2 of 2 instances would be out of service" in capsys.readouterr().out


def test_metadata_that_cannot_be_read_are_read_again(instance: Instance, capsys: Any) -> None:
    """Fault: the metadata service is gone for a while. Outcome: said once; looked for again until it is back."""
    watch = drain.Watch(instance.settings())
    address, watch.member.metadata.endpoint = watch.member.metadata.endpoint, "http://127.0.0.1:9"
    assert not watch.ends()
    assert not watch.ends()
    assert capsys.readouterr().out.count("does not respond") == 1
    watch.member.metadata.endpoint = address
    instance.notice(**END)
    assert watch.ends()


def test_a_session_token_that_expires_is_renewed(instance: Instance) -> None:
    watch = look(instance)
    instance.aws.tokens.clear()
    instance.notice(**END)
    assert watch.ends()


def test_malformed_settings_are_reported(instance: Instance, capsys: Any) -> None:
    assert drain.main("/none") == 1
    assert "/none cannot be read" in capsys.readouterr().err
