# SPDX-License-Identifier: Apache-2.0
"""The command slipway-metrics, run as its unit runs it, against moto and a strict IMDSv2."""

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
from slipway_aws import cloudwatch as publisher
from slipway_aws.service import ServiceError

from tests.moto_account import Cloud
from tests.stand_in_aws import GROUP, INSTANCE, REGION, ROLE, Aws
from tests.unit.metrics.conftest import NAMESPACE, Command, published, rendered

ON_INSTANCE = ("InstanceId", INSTANCE)
IN_GROUP = ("AutoScalingGroupName", GROUP)
OF_MEMORY = {"mem_used_percent", "swap_used_percent"}
OF_DISKS = {"disk_used_percent", "disk_inodes_free"}


def names(found: set[tuple[str, frozenset[tuple[str, str]]]], *dimensions: tuple[str, str]) -> set[str]:
    """The metrics of exactly these dimensions."""
    return {name for name, has in found if has == frozenset(dimensions)}


def test_every_metric_is_there_by_instance_and_by_group_where_signature_and_policy_are_enforced(
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


def test_an_instance_of_no_group_has_each_metric_by_its_id_alone_and_no_metric_twice(
    command: Command, cloudwatch: Any, metadata: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.stand_in_aws.GROUP", "")
    command.run()
    found = published(cloudwatch)
    assert names(found, ON_INSTANCE) == {
        "mem_used_percent",
        "swap_used_percent",
        "disk_used_percent",
        "disk_inodes_free",
    }
    assert not any("AutoScalingGroupName" in dict(has) for _, has in found)


def test_a_group_that_is_named_needs_no_tags_in_the_metadata(command: Command, cloudwatch: Any, metadata: Aws) -> None:
    command.set(group="named")
    command.run()
    assert names(published(cloudwatch), ("AutoScalingGroupName", "named"))
    assert not any("tags" in request for request in metadata.requests)


def test_what_can_be_read_is_published_though_a_mount_is_missing(command: Command, cloudwatch: Any) -> None:
    command.set(mounts=["/", "/nowhere"])
    assert "nothing is mounted at /nowhere" in command.failure()
    assert names(published(cloudwatch), ON_INSTANCE)


def test_an_answer_without_a_body_is_one(command: Command, metadata: Aws, tmp_path: Path) -> None:
    metadata.folder = tmp_path
    command.set(endpoint=metadata.address)
    command.run()
    assert NAMESPACE in (tmp_path / "metrics.jsonl").read_text()


def test_an_instance_without_a_role_is_told_so(command: Command, metadata: Aws) -> None:
    metadata.keys = None
    assert "has no role: attach an instance profile" in command.failure()


def test_a_host_without_a_metadata_service_is_told_so(command: Command) -> None:
    command.set(metadata_endpoint="http://127.0.0.1:9")
    assert "the instance metadata service at http://127.0.0.1:9 does not answer" in command.failure()


def test_moto_lets_in_no_role_without_the_policy(command: Command, cloud: Cloud) -> None:
    """Without this, the first test would prove nothing."""
    cloud.enforce()
    assert "HTTP 403" in command.failure()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", f"the role {ROLE} may not do cloudwatch:PutMetricData in the namespace CWAgent"),
        ("ThrottlingException", "the next ones are tried"),
        ("InvalidParameterValueException", "is refused (InvalidParameterValueException: in AWS' words)"),
    ],
)
def test_each_refusal_has_its_sentence(code: str, words: str) -> None:
    said = publisher.sentence_of(ServiceError(code, "in AWS' words"), NAMESPACE, REGION, ROLE)
    assert words in said
    assert f"in {REGION}" in said or f"of {REGION}" in said


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"namespace": "CWAgent"}'])
def test_damaged_settings_are_told_with_their_path(command: Command, text: str) -> None:
    command.settings.write_text(text)
    assert f"{command.settings} is damaged: run role host_metrics again" in command.failure()


def test_no_request_holds_more_than_cloudwatch_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(
        "slipway_aws.service.call", lambda service, action, message, *rest: sent.append(len(message["MetricData"]))
    )
    publisher.publish([{}] * 2001, NAMESPACE, REGION, None, None)
    assert sent == [1000, 1000, 1]


def test_instances_publish_at_seconds_of_their_own_and_each_once_a_minute() -> None:
    """A run that is late by all that it may be has ended when the next is due."""
    units = rendered("slipway-metrics.timer.j2") + rendered("slipway-metrics.service.j2")
    seconds = {name: int(value) for name, value in re.findall(r"^(\w+)Sec=(\d+)s?$", units, re.MULTILINE)}
    assert seconds["RandomizedDelay"] >= 20
    assert seconds["RandomizedDelay"] + seconds["Accuracy"] + seconds["TimeoutStart"] <= 60
