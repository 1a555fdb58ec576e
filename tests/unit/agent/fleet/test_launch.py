# SPDX-License-Identifier: Apache-2.0
"""The launch hook: the boot keeps it waiting, completes it when the instance is ready, and abandons it otherwise."""

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from slipway_agent.boot import launch, waiting
from slipway_agent.boot.errors import StepError

from tests.support import stand_in_aws
from tests.support.stand_in_aws import GROUP, ROLE
from tests.unit.agent.conftest import LIBRARY
from tests.unit.agent.fleet.conftest import LAUNCH, Instance

pytestmark = pytest.mark.program

HEARTBEAT = "RecordLifecycleActionHeartbeat"
COMPLETE = "CompleteLifecycleAction"
BOOT = "import sys; sys.path.insert(0, {!r}); from slipway_agent.boot import main; sys.exit(main.main(*{}))"


def boot(instance: Instance, wait_for: str) -> subprocess.Popen[str]:
    """Start docker-firstboot; the network is up as soon as this address accepts connections."""
    image = {"wait_for": [wait_for], "wait_seconds": 1, "credential_helper": "", "pull_url": ""}
    instance.write("image.json", image)
    folder = str(instance.folder)
    arguments = [f"{folder}/image.json", "/none", folder, folder, instance.settings_file()]
    command = [sys.executable, "-c", BOOT.format(str(LIBRARY), arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def result(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=60)
    assert "Traceback" not in output
    return process.returncode, output


@pytest.fixture
def begun(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A launch that is pending, without heartbeats."""
    monkeypatch.setattr(launch.Heartbeats, "start", lambda thread: None)
    monkeypatch.setattr(waiting, "PAUSE_SECONDS", 0.05)
    instance.group("Pending:Wait", (LAUNCH,))
    begun = launch.Launch(instance.settings_file())
    begun.begin()
    return begun


def test_an_instance_that_is_ready_is_put_in_service(instance: Instance) -> None:
    instance.group("Pending:Wait", (LAUNCH,))
    port = instance.aws.server_port
    status, output = result(boot(instance, f"127.0.0.1:{port}"))
    assert (status, instance.state()) == (0, ["InService", "Healthy"]), output
    assert f"completed the launch in the group {GROUP}" in (instance.folder / "ready.json").read_text()
    assert set(instance.calls()) == {HEARTBEAT, COMPLETE}


def test_an_instance_that_fails_is_abandoned(instance: Instance) -> None:
    """Fault: a step of the first boot fails for good. Outcome: the launch is abandoned, so that the group replaces the
    instance.
    """
    instance.group("Pending:Wait", (LAUNCH,))
    instance.kill_engine()
    status, output = result(boot(instance, f"127.0.0.1:{instance.aws.server_port}"))
    assert (status, instance.state()[0]) == (1, "Terminating:Proceed"), output
    assert f"abandoned the launch in the group {GROUP}" in output
    assert "Cannot connect to the Docker daemon" in (instance.folder / "ready.json").read_text()


def test_a_boot_that_is_stopped_is_not_abandoned(instance: Instance) -> None:
    """Fault: the machine reboots during its first boot. Outcome: the launch is not abandoned; the next boot completes
    it.
    """
    instance.group("Pending:Wait", (LAUNCH,))
    process = boot(instance, "127.0.0.1:9")
    waiting.until(lambda: waits_for_the_network(instance), 30)
    process.terminate()
    status, output = result(process)
    assert (status, instance.state()[0]) == (1, "Pending:Wait"), output
    assert COMPLETE not in instance.calls()


def waits_for_the_network(instance: Instance) -> None:
    path = instance.folder / "ready.json"
    if HEARTBEAT not in instance.calls() or '"network"' not in path.read_text():
        raise waiting.NotYetError("the boot waits for no network yet")


@pytest.mark.parametrize("fault", ["throttle", "fail", "break", "expire"])
def test_what_passes_is_retried(instance: Instance, begun: Any, fault: str) -> None:
    """Fault: Auto Scaling throttles, responds with an error, or the role's credentials expire in the middle. Outcome:
    tried again until it works.
    """
    instance.group("Pending:Wait", (LAUNCH,), faults={COMPLETE: [fault, fault]})
    assert begun.complete(30) == f"completed the launch in the group {GROUP}"
    assert instance.calls() == [COMPLETE] * 3


def test_a_role_without_permission_fails_at_once_and_names_the_action(instance: Instance, begun: Any) -> None:
    """Fault: the instance's role may not complete the hook. Outcome: not ready, with the action, the role and the
    policy.
    """
    instance.group("Pending:Wait", (LAUNCH,), faults={COMPLETE: ["deny"] * 9})
    with pytest.raises(StepError, match=f"the role {ROLE} is not allowed to call autoscaling:{COMPLETE} on the group"):
        begun.complete(30)
    assert instance.calls() == [COMPLETE]


def test_a_wrong_clock_is_named(instance: Instance, begun: Any) -> None:
    """Fault: the instance's clock is an hour off. Outcome: tried until the time limit; the message names the clock."""
    instance.aws.ahead = timedelta(hours=1)
    with pytest.raises(StepError, match=r"after 1 s, .* rejects the signature .*: check this host's clock"):
        begun.complete(1)
    instance.aws.ahead = timedelta(minutes=4)
    assert "completed" in begun.complete(1)


def test_without_a_metadata_service_the_reason_is_told(instance: Instance, capsys: Any) -> None:
    """Fault: the metadata service is gone. Outcome: not ready, with the reason; the hook's time-out replaces the
    instance.
    """
    begun = launch.Launch(instance.settings_file(metadata_endpoint="http://127.0.0.1:9"))
    begun.begin()
    begun.end()
    with pytest.raises(StepError, match=r"after 0 s, the instance metadata service at http://127.0.0.1:9 does not"):
        begun.complete(0)


def test_a_hook_that_was_completed_already_fails_nothing(instance: Instance, begun: Any) -> None:
    instance.group()
    assert begun.complete(1) == f"no launch is pending in the group {GROUP}, where this instance is InService"
    instance.group("Pending:Proceed")
    with pytest.raises(StepError, match=r"this instance is Pending:Proceed .*where no hook slipway-launch waits"):
        begun.complete(0)


def test_an_instance_that_its_group_does_not_know_is_named(instance: Instance, begun: Any) -> None:
    instance.write(stand_in_aws.GROUP_FILE, {**stand_in_aws.LONE_GROUP, "members": {}})
    assert "where this instance is not a member" in begun.complete(1)


def test_an_instance_without_a_group_has_no_launch(
    instance: Instance, begun: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(stand_in_aws, "GROUP", "")
    assert begun.complete(1) == launch.NO_GROUP
    begun.abandon()
    assert launch.NO_GROUP in capsys.readouterr().out
    assert instance.calls() == []
    instance.aws.instance["meta-data/autoscaling/target-lifecycle-state"] = "InService"
    with pytest.raises(StepError, match="set instance_metadata_tags to enabled in the launch template"):
        begun.complete(1)


def test_heartbeats_keep_the_hook_waiting_through_errors(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Fault: Auto Scaling throttles heartbeats. Outcome: the next one is sent; the journal says so once."""
    monkeypatch.setattr(launch, "HEARTBEAT_SECONDS", 0.01)
    instance.group("Pending:Wait", (LAUNCH,), faults={HEARTBEAT: ["throttle", "throttle", "expire"]})
    begun = launch.Launch(instance.settings_file())
    begun.begin()
    waiting.until(lambda: beats(instance, 7), 30)
    begun.end()
    assert begun.heartbeats
    begun.heartbeats.join(10)
    assert not begun.heartbeats.is_alive()
    assert capsys.readouterr().out.count("no heartbeat was sent") == 1
    assert instance.last(HEARTBEAT)["LifecycleHookName"] == LAUNCH


def beats(instance: Instance, count: int) -> None:
    if len(instance.calls()) < count:
        raise waiting.NotYetError("too few heartbeats")


def test_without_settings_of_a_fleet_nothing_is_asked(instance: Instance) -> None:
    for path in (None, "/none"):
        begun = launch.Launch(path)
        begun.begin()
        assert begun.member is None
        begun.abandon()
        begun.end()
    assert instance.calls() == []


@pytest.mark.parametrize("text", ["[]", "{"])
def test_malformed_settings_are_reported_with_their_path(instance: Instance, text: str) -> None:
    (instance.folder / "fleet.json").write_text(text)
    with pytest.raises(StepError, match=f"{instance.folder}/fleet.json"):
        launch.Launch(str(instance.folder / "fleet.json")).begin()


def test_the_report_says_that_the_launch_was_the_last_step(instance: Instance) -> None:
    instance.group()
    result(boot(instance, f"127.0.0.1:{instance.aws.server_port}"))
    steps = json.loads((instance.folder / "ready.json").read_text())["steps"]
    assert [step["step"] for step in steps] == ["settings", "network", "engine", "lifecycle"]
