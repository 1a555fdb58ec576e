# SPDX-License-Identifier: Apache-2.0
"""The command slipway-metrics, run as its unit runs it, against moto and a strict IMDSv2."""

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
from slipway_agent.aws import service
from slipway_agent.metrics import cloudwatch as publisher
from slipway_agent.metrics import main as agent
from slipway_agent.metrics import readings

from tests.support.moto_account import Cloud
from tests.support.stand_in_aws import GROUP, INSTANCE, REGION, ROLE, Aws
from tests.unit.agent.metrics.conftest import NAMESPACE, Command, published, rendered

pytestmark = pytest.mark.program

ON_INSTANCE = ("InstanceId", INSTANCE)
IN_GROUP = ("AutoScalingGroupName", GROUP)
OF_MEMORY = {"mem_used_percent", "swap_used_percent"}
OF_DISKS = {"disk_used_percent", "disk_inodes_free"}


def names(found: set[tuple[str, frozenset[tuple[str, str]]]], *dimensions: tuple[str, str]) -> set[str]:
    """Return the metrics with exactly these dimensions."""
    return {name for name, has in found if has == frozenset(dimensions)}


def test_every_metric_is_published_by_instance_and_by_group_while_signature_and_policy_are_enforced(
    command: Command, cloud: Cloud, cloudwatch: Any
) -> None:
    cloud.enforce()
    command.run()
    cloud.enforce("inf")
    found = published(cloudwatch)
    assert names(found, ON_INSTANCE) == OF_MEMORY | OF_DISKS
    assert names(found, IN_GROUP) == OF_MEMORY | OF_DISKS
    assert names(found, ON_INSTANCE, IN_GROUP) == OF_MEMORY
    kind = next(value for _, has in found for name, value in has if name == "fstype")
    assert names(found, ON_INSTANCE, IN_GROUP, ("path", "/"), ("fstype", kind)) == OF_DISKS
    assert len(found) == 12


def test_values_arrive_in_their_unit(command: Command, cloudwatch: Any) -> None:
    command.run()
    now = datetime.datetime.now(datetime.UTC)
    for name, unit in (("disk_used_percent", "Percent"), ("disk_inodes_free", "Count")):
        points = cloudwatch.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=name,
            Dimensions=[{"Name": "InstanceId", "Value": INSTANCE}],
            StartTime=now - datetime.timedelta(minutes=5),
            EndTime=now + datetime.timedelta(minutes=5),
            Period=60,
            Statistics=["Maximum"],
            Unit=unit,
        )["Datapoints"]
        assert points[0]["Maximum"] > 0


def test_an_instance_without_a_group_publishes_each_metric_once_by_its_id(
    command: Command, cloudwatch: Any, metadata: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.stand_in_aws.GROUP", "")
    command.run()
    found = published(cloudwatch)
    assert names(found, ON_INSTANCE) == {
        "mem_used_percent",
        "swap_used_percent",
        "disk_used_percent",
        "disk_inodes_free",
    }
    assert not any("AutoScalingGroupName" in dict(has) for _, has in found)


def test_a_configured_group_needs_no_tags_in_the_metadata(command: Command, cloudwatch: Any, metadata: Aws) -> None:
    command.set(group="named")
    command.run()
    assert names(published(cloudwatch), ("AutoScalingGroupName", "named"))
    assert not any("tags" in request for request in metadata.requests)


def test_a_missing_mount_does_not_keep_other_readings_from_being_published(command: Command, cloudwatch: Any) -> None:
    command.set(mounts=["/", "/nowhere"])
    assert "nothing is mounted at /nowhere" in command.failure()
    assert names(published(cloudwatch), ON_INSTANCE)


def test_an_empty_response_is_accepted(command: Command, metadata: Aws, tmp_path: Path) -> None:
    metadata.folder = tmp_path
    command.set(endpoint=metadata.address)
    command.run()
    assert NAMESPACE in (tmp_path / "metrics.jsonl").read_text()


def test_an_instance_without_a_role_is_reported(command: Command, metadata: Aws) -> None:
    metadata.keys = None
    assert "has no role: attach an instance profile" in command.failure()


def test_a_host_without_a_metadata_service_is_reported(command: Command) -> None:
    command.set(metadata_endpoint="http://127.0.0.1:9")
    assert "the instance metadata service at http://127.0.0.1:9 does not respond" in command.failure()


def test_moto_rejects_a_role_without_the_policy(command: Command, cloud: Cloud) -> None:
    """Otherwise, the first test would prove nothing."""
    cloud.enforce()
    assert "HTTP 403" in command.failure()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", f"the role {ROLE} is not allowed to call cloudwatch:PutMetricData for"),
        ("ThrottlingException", "the next run sends new ones"),
        ("InvalidParameterValueException", "failed (InvalidParameterValueException: in AWS' words)"),
    ],
)
def test_each_error_of_cloudwatch_has_its_message(code: str, words: str) -> None:
    said = publisher.message_of(service.ServiceError(code, "in AWS' words"), NAMESPACE, REGION, ROLE)
    assert words in said
    assert f"in {REGION}" in said or f"of {REGION}" in said


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"namespace": "CWAgent"}'])
def test_malformed_settings_are_reported_with_their_path(command: Command, text: str) -> None:
    command.settings.write_text(text)
    assert f"{command.settings} is malformed: run the role host_metrics again" in command.failure()


def test_no_request_exceeds_cloudwatch_s_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(service, "call", lambda *arguments: sent.append(len(arguments[2]["MetricData"])))
    publisher.publish([{}] * 2001, NAMESPACE, REGION, None, None)
    assert sent == [1000, 1000, 1]


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("/srv/data-1 ~", True),
        ("x" * 1024, True),
        ("x" * 1025, False),
        ("/srv/ä", False),
        ("/srv/\udce9", False),
        ("/a\tb", False),
        (":", False),
        (" ", False),
        ("", False),
    ],
)
def test_only_what_cloudwatch_accepts_is_a_dimension(value: str, accepted: bool) -> None:
    assert publisher.is_dimension(value) is accepted


def test_a_mount_outside_ascii_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: a mount point has characters outside ASCII. Outcome: all other metrics are published, and it is named."""
    good = readings.Reading("disk_used_percent", "Percent", 1, {"path": "/", "fstype": "xfs"})
    memory = readings.Reading("mem_used_percent", "Percent", 1, {})
    bad = readings.Reading("disk_used_percent", "Percent", 1, {"path": "/srv/ä", "fstype": "xfs"})
    kept, (message,) = publisher.publishable([memory, bad, good, bad])
    assert kept == [memory, good]
    assert message.startswith("/srv/\\xe4 is not published: CloudWatch accepts up to 1024 printable ASCII characters")


@pytest.mark.parametrize(("mounts", "status"), [(["*"], 0), (["/", "/srv/ä"], 1)])
def test_it_fails_the_run_only_if_it_is_listed(
    command: Command, cloudwatch: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any, mounts: list[str], status: int
) -> None:
    command.set(mounts=mounts)
    taken = [
        readings.Reading("disk_used_percent", "Percent", 1, {"path": path, "fstype": "xfs"}) for path in ("/", "/srv/ä")
    ]
    monkeypatch.setattr(readings, "take", lambda *_: (taken, []))
    assert agent.main(str(command.settings)) == status
    assert "/srv/\\xe4 is not published" in capsys.readouterr().err
    assert names(published(cloudwatch), ON_INSTANCE) == {"disk_used_percent"}


def test_instances_publish_at_random_seconds_and_finish_within_the_minute() -> None:
    """Even the latest possible run ends before the next one is due."""
    units = rendered("slipway-metrics.timer.j2") + rendered("slipway-metrics.service.j2")
    seconds = {name: int(value) for name, value in re.findall(r"^(\w+)Sec=(\d+)s?$", units, re.MULTILINE)}
    assert seconds["RandomizedDelay"] >= 20
    assert seconds["RandomizedDelay"] + seconds["Accuracy"] + seconds["TimeoutStart"] <= 60
