# SPDX-License-Identifier: Apache-2.0
"""The role's alarms in moto, compared with the metrics that the script has published there."""

import venv
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.slipway.platform.plugins.plugin_utils import metric_alarms

from slipway.lab import play
from tests.support.moto_account import Cloud
from tests.support.stand_in_aws import GROUP, INSTANCE, REGION
from tests.unit.agent.metrics.conftest import Command, published

CLOSED = "http://127.0.0.1:9"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:ops"
METRICS = ("mem_used_percent", "swap_used_percent", "disk_used_percent")
ALARMS: list[dict[str, Any]] = [
    *({"metric": metric, "above": 85, "by": by} for metric in METRICS for by in ("InstanceId", "AutoScalingGroupName")),
    {"metric": "disk_inodes_free", "below": 5000, "periods": 3, "actions": [TOPIC]},
    {"metric": "disk_inodes_free", "below": 5000, "by": "AutoScalingGroupName"},
]
IDENTITY = {"InstanceId": INSTANCE, "AutoScalingGroupName": GROUP}


@pytest.fixture
def controller(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller, with AWS credentials in its environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def apply(folder: Path, **variables: Any) -> play.Run:
    """Run the alarms phase for an instance with the variables of the inventory plugin amazon.aws.aws_ec2."""
    known = {"instance_id": INSTANCE, "tags": {"aws:autoscaling:groupName": GROUP}, "ansible_host": "192.0.2.1"}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"web": known}}}))
    role = {"import_role": {"name": "slipway.platform.host_metrics"}}
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [role]}]))
    settings = {"host_metrics_provider": "script", "host_metrics_region": REGION, **variables}
    return play.run(folder / "play.yml", folder / "hosts.yml", settings, ["--tags", "host_metrics_alarms"])


@pytest.mark.slow
@pytest.mark.usefixtures("controller")
def test_each_alarm_names_exactly_the_dimensions_of_a_published_metric(
    command: Command, cloudwatch: Any, tmp_path: Path
) -> None:
    command.run()
    there = published(cloudwatch)
    made = apply(tmp_path, host_metrics_alarms=ALARMS)
    assert made.status == 0, made.output
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert len(alarms) == len(ALARMS)
    for alarm in alarms:
        dimensions = frozenset((item["Name"], item["Value"]) for item in alarm["Dimensions"])
        assert (alarm["MetricName"], dimensions) in there
        assert alarm["TreatMissingData"] == "breaching"
        assert alarm["Period"] == 60
    inodes = next(alarm for alarm in alarms if alarm["AlarmName"] == f"CWAgent/{INSTANCE}/disk_inodes_free")
    assert (inodes["Statistic"], inodes["ComparisonOperator"]) == ("Minimum", "LessThanThreshold")
    assert (inodes["Threshold"], inodes["EvaluationPeriods"]) == (5000, 3)
    assert inodes["AlarmActions"] == inodes["OKActions"] == [TOPIC]

    some = [ALARMS[1], ALARMS[-2]]  # each starts a module
    again = apply(tmp_path, host_metrics_alarms=some)
    assert again.status == 0, again.output
    assert again.changed("web") == []
    away = [{"metric": alarm["metric"], "by": alarm.get("by", "InstanceId"), "state": "absent"} for alarm in some]
    gone = apply(tmp_path, host_metrics_alarms=away)
    assert gone.status == 0, gone.output
    left = {alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert {alarm["AlarmName"] for alarm in alarms} - left == {
        f"CWAgent/{GROUP}/mem_used_percent",
        f"CWAgent/{INSTANCE}/disk_inodes_free",
    }


@pytest.mark.usefixtures("controller")
def test_a_bake_creates_no_alarm(cloudwatch: Any, tmp_path: Path) -> None:
    baked = apply(tmp_path, host_metrics_alarms=ALARMS, slipway_baking=True)
    assert baked.status == 0, baked.output
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.usefixtures("controller")
def test_alarms_without_a_publisher_are_rejected(cloudwatch: Any, tmp_path: Path) -> None:
    refused = apply(tmp_path, host_metrics_alarms=ALARMS, host_metrics_provider="none")
    assert "host_metrics_provider is none, so no metric is published" in refused.failure("web")
    assert refused.failure("web").endswith("Nothing was changed.")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"host_metrics_provider": "statsd"}, "value of host_metrics_provider must be one of"),
        ({"host_metrics_interval": 45}, "value of host_metrics_interval must be one of"),
    ],
)
def test_a_value_that_is_not_among_the_choices_is_rejected(
    tmp_path: Path, variables: dict[str, Any], words: str
) -> None:
    refused = apply(tmp_path, **variables)
    assert refused.status != 0
    assert words in refused.output


def problems(
    alarms: list[dict[str, Any]],
    mounts: tuple[str, ...] = ("*",),
    rpm: dict[str, str] | None = None,
    region: str = REGION,
    identity: dict[str, str] = IDENTITY,
    endpoint: str = "",
) -> list[str]:
    return list(metric_alarms.problems(alarms, "script", list(mounts), rpm or {}, region, identity, endpoint))


def test_valid_settings_have_no_problem() -> None:
    rpm = {"url": "https://example.com/agent.rpm", "checksum": "sha256:" + "0" * 64}
    assert problems(ALARMS, ("/", "/data"), rpm) == []
    assert metric_alarms.problems([], "none", [], {}, "", dict.fromkeys(IDENTITY, ""), "") == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (problems([], mounts=()), "host_metrics_mounts is empty"),
        (problems([], mounts=("data",)), "host_metrics_mounts has 'data', which is not an absolute path"),
        (problems([], mounts=("/", "*")), "host_metrics_mounts has '*'"),
        (problems([], rpm={"url": "https://example.com/agent.rpm"}), "needs url and checksum"),
        (problems([], endpoint="http://monitoring.example.com"), "host_metrics_endpoint does not use https://"),
        (problems(ALARMS[:1], region=""), "needs host_metrics_region"),
        (problems([{"metric": "mem_used_percent"}]), "mem_used_percent needs exactly one of above and below"),
        (problems([{"metric": "mem_used_percent", "above": 1, "below": 2}]), "needs exactly one of above and below"),
        (problems([{**ALARMS[0], "periods": 0}]), "needs periods of at least 1"),
        (problems(ALARMS[:1], identity={**IDENTITY, "InstanceId": ""}), "by InstanceId needs host_metrics_instance_id"),
        (problems(ALARMS[:1] * 2), "host_metrics_alarms has mem_used_percent by InstanceId more than once"),
    ],
)
def test_each_invalid_setting_has_one_message(found: list[str], words: str) -> None:
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.slow
@pytest.mark.usefixtures("controller")
def test_missing_credentials_missing_boto3_and_an_unknown_region_have_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: no boto3, no credentials or no such region when alarms are made. Outcome: one sentence; hosts publish all
    the same.
    """

    def failure(**variables: Any) -> str:
        message = apply(tmp_path, host_metrics_alarms=ALARMS[:1], **variables).failure("web")
        assert message.endswith("To run only this phase, use --tags host_metrics_alarms.")
        return message

    venv.create(tmp_path / "bare")
    bare = str(tmp_path / "bare/bin/python")
    assert "boto3 is missing in" in failure(ansible_python_interpreter=bare)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("AWS_ENDPOINT_URL", CLOSED)
        elsewhere.setenv("AWS_MAX_ATTEMPTS", "1")
        assert "that mars-1 is an AWS region" in failure(host_metrics_region="mars-1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no usable AWS credentials" in failure()
