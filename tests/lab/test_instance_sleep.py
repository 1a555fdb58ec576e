# SPDX-License-Identifier: Apache-2.0
"""Instances that sleep when they are idle, on AWS as moto plays it, by the real playbooks and modules; needs no lab
host. moto neither evaluates an expression nor stops an instance by an alarm.
"""

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from slipway.lab import play
from slipway.lab.paths import PROJECT
from slipway.lab.play import Run, ok
from tests.support import iam_policies
from tests.support.recorded_aws import KEYS, RecordedAws

HOME = "eu-central-1"
TAGS = {"Team": "web"}
HOUR = 3600
PERIODS: dict[str, Any] = {"instance_sleep_period": HOUR, "instance_sleep_after": 2 * HOUR}
STOP = "Alarms | Write or delete the alarms that differ"
WAKE = "Wake | Start the instances and wait until they run"
# CloudWatch calls it for whoever writes the first alarm of an account that stops instances; moto does not.
NEVER_CALLED = {"iam:CreateServiceLinkedRole"}
# Of each hour until now, the oldest first: the use of the CPU, bytes received and bytes sent; None while stopped.
Hours = list[tuple[float, float, float] | None]
IDLE, BUSY, LOADING = (1.0, 100.0 * HOUR, 100.0 * HOUR), (60.0, 0.0, 0.0), (1.0, 100.0 * HOUR, 90000.0 * HOUR)


@dataclass
class Cloud:
    """An account with an image."""

    aws: RecordedAws
    made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ec2 = self.aws.client("ec2", HOME)
        self.cloudwatch = self.aws.client("cloudwatch", HOME)
        self.image = self.ec2.register_image(Name="docker-el9")["ImageId"]

    def launch(self, name: str, tags: dict[str, str] | None = None, **options: Any) -> str:
        """Launch an instance, and return its ID."""
        listed = [{"Key": key, "Value": value} for key, value in {"Name": name, **TAGS, **(tags or {})}.items()]
        (instance,) = self.ec2.run_instances(
            ImageId=self.image,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
            **options,
        )["Instances"]
        self.made[name] = instance["InstanceId"]
        return self.made[name]

    def publish(self, name: str, hours: Hours) -> datetime.datetime:
        """Publish what EC2 does of an instance, and return the beginning of the first hour."""
        now = datetime.datetime.now(datetime.UTC)
        first = now.replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=len(hours))
        for number, values in enumerate(hours):
            for metric, value in zip(("CPUUtilization", "NetworkIn", "NetworkOut"), values or (), strict=False):
                datum = {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "InstanceId", "Value": self.made[name]}],
                    "Timestamp": first + datetime.timedelta(hours=number, minutes=10),
                    "Value": value,
                }
                self.cloudwatch.put_metric_data(Namespace="AWS/EC2", MetricData=[datum])
        return first

    def play(self, playbook: str, *options: str, **variables: Any) -> Run:
        self.aws.calls.clear()
        given = {"instance_sleep_region": HOME, "instance_sleep_tags": TAGS}
        return play.run(PROJECT / f"playbooks/{playbook}.yml", Path("localhost,"), given | variables, list(options))

    def alarms(self) -> dict[str, dict[str, Any]]:
        return {alarm["AlarmName"]: alarm for alarm in self.cloudwatch.describe_alarms()["MetricAlarms"]}

    def state(self, name: str) -> str:
        (reservation,) = self.ec2.describe_instances(InstanceIds=[self.made[name]])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])


@pytest.fixture
def cloud(aws: RecordedAws) -> Cloud:
    return Cloud(aws)


def changed(run: Run) -> list[str]:
    return [task.removeprefix("slipway.platform.instance_sleep : ") for task in run.changed("localhost")]


def report(run: Run) -> list[str]:
    """The sentences of the last report."""
    found = [result["msg"] for name, result in run.results("localhost") if name.endswith("| Report the choice")]
    return list(found[-1])


def moment(start: datetime.datetime, hours: int) -> str:
    return (start + datetime.timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.slow
def test_idle_instances_get_an_alarm_that_stops_them_and_the_others_are_left_out_with_a_reason(cloud: Cloud) -> None:
    idle, own = cloud.launch("build"), cloud.launch("controller")
    cloud.launch("uploads")
    cloud.launch("pinned", {"slipway:awake": "until Friday"})
    cloud.launch("vault", DisableApiStop=True)
    ec2_backends[DEFAULT_ACCOUNT_ID][HOME].get_instance(cloud.launch("old")).root_device_type = "instance-store"
    cloud.launch("bargain", InstanceMarketOptions={"MarketType": "spot"})
    group = cloud.launch("member")
    ec2_backends[DEFAULT_ACCOUNT_ID][HOME].create_tags([group], {"aws:autoscaling:groupName": "docker-web"})
    cloud.launch("stranger", {"Team": "data"})
    start = cloud.publish("build", [BUSY, IDLE, IDLE, IDLE, IDLE, BUSY, IDLE, None, IDLE, IDLE, IDLE])
    cloud.publish("uploads", [LOADING] * 11)
    wanted = {**PERIODS, "instance_sleep_own_instance": own}

    predicted = ok(cloud.play("sleep", "--check", "--diff", **wanted))
    assert cloud.aws.changes() == []
    made = cloud.made
    said = report(predicted)
    assert said[:-1] == [
        f"{own} (controller) is left out: this play runs on it.",
        f"{made['pinned']} (pinned) is left out: it has the tag slipway:awake.",
        f"{made['vault']} (vault) is left out: it has stop protection.",
        f"{made['old']} (old) is left out: its root is an instance store, which cannot be stopped.",
        f"{made['bargain']} (bargain) is left out: its Spot request is not persistent.",
        f"{group} (member) is left out: the Auto Scaling group docker-web would replace it.",
        f"{idle} (build) would have been stopped, for 3.0 h while it was idle: {moment(start, 3)} to "
        f"{moment(start, 5)} (2.0 h), {moment(start, 10)} to {moment(start, 11)} (1.0 h), all UTC.",
        f"{made['uploads']} (uploads) would not have been stopped: it was not idle for 120 minutes.",
    ]
    assert said[-1].startswith(f"3.0 instance hours would have been saved in {HOME} since ")

    done = ok(cloud.play("sleep", **wanted))
    assert changed(done) == changed(predicted) == [STOP]
    assert f"{idle} (build) is stopped once it has been idle for 120 minutes." in report(done)
    names = {f"slipway-sleep/idle/{made[name]}" for name in ("build", "uploads")}
    assert set(cloud.alarms()) == names
    alarm = cloud.alarms()[f"slipway-sleep/idle/{idle}"]
    assert alarm["AlarmActions"] == [f"arn:aws:automate:{HOME}:ec2:stop"]
    assert alarm["TreatMissingData"] == "notBreaching"  # it would stop an instance that has just been started
    assert (alarm["EvaluationPeriods"], alarm["Threshold"]) == (2, 1)
    *read, expression = alarm["Metrics"]
    assert expression["Expression"] == "IF(cpu < 5 AND received < 18000000 AND sent < 18000000, 1, 0)"
    assert [
        (entry["Id"], entry["MetricStat"]["Metric"]["MetricName"], entry["MetricStat"]["Stat"]) for entry in read
    ] == [("cpu", "CPUUtilization", "Average"), ("received", "NetworkIn", "Sum"), ("sent", "NetworkOut", "Sum")]
    assert {entry["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for entry in read} == {idle}
    assert {entry["MetricStat"]["Period"] for entry in read} == {HOUR}
    assert changed(ok(cloud.play("sleep", **wanted))) == []

    foreign = {"EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold", "Threshold": 1.0, "Period": 60}
    cloud.cloudwatch.put_metric_alarm(
        AlarmName="slipway-sleep/other/i-0", MetricName="x", Namespace="y", Statistic="Sum", **foreign
    )
    cloud.ec2.terminate_instances(InstanceIds=[made["uploads"]])
    cloud.ec2.delete_tags(Resources=[made["pinned"]], Tags=[{"Key": "slipway:awake"}])
    cpu_alone = {**wanted, "instance_sleep_network": "0", "instance_sleep_cpu": "2.5"}
    ok(cloud.play("sleep", **cpu_alone))
    assert cloud.aws.changes() == ["PutMetricAlarm", "PutMetricAlarm", "DeleteAlarms"]
    kept = {f"slipway-sleep/idle/{made[name]}" for name in ("build", "pinned")}
    assert set(cloud.alarms()) == {*kept, "slipway-sleep/other/i-0"}
    alarm = cloud.alarms()[f"slipway-sleep/idle/{idle}"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "CPUUtilization",
        "LessThanThreshold",
        2.5,
    )
    assert changed(ok(cloud.play("sleep", "--check", **cpu_alone))) == []

    removed = ok(cloud.play("sleep", instance_sleep_state="absent", instance_sleep_tags={}))
    assert changed(removed) == [STOP]
    assert set(cloud.alarms()) == {"slipway-sleep/other/i-0"}


@pytest.mark.slow
def test_named_or_tagged_instances_wake(cloud: Cloud) -> None:
    first, second = cloud.launch("build"), cloud.launch("docs")
    cloud.ec2.stop_instances(InstanceIds=[first, second])
    predicted = ok(cloud.play("wake", "--check", instance_sleep_instances=["build"]))
    assert cloud.aws.changes() == []
    woken = ok(cloud.play("wake", instance_sleep_instances=["build"]))
    assert changed(woken) == changed(predicted) == [WAKE]
    assert (cloud.state("build"), cloud.state("docs")) == ("running", "stopped")
    assert report(woken) == [f"{first} (build) is stopped, and to be started."]

    rest = ok(cloud.play("wake"))
    assert report(rest) == [f"{first} (build) runs already.", f"{second} (docs) is stopped, and to be started."]
    assert cloud.state("docs") == "running"
    assert [call.parameters["InstanceId.1"] for call in cloud.aws.made("StartInstances")] == [second]


def test_what_cannot_work_is_refused_and_nothing_is_changed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: levels and times of sleeping instances that no alarm accepts. Outcome: all problems at once, before AWS is
    asked.

    Fault: no instance has the tags or the name to sleep or to wake. Outcome: one sentence; nothing is changed.

    Fault: no region, no credentials, or no permission for an alarm that stops instances. Outcome: one sentence, with
    the action that is missing.
    """
    message = cloud.aws.refused(
        cloud.play(
            "sleep",
            instance_sleep_region="",
            instance_sleep_tags={},
            instance_sleep_cpu=0,
            instance_sleep_after=1000,
            instance_sleep_own_instance="unknown",
        )
    )
    for sentence in (
        "instance_sleep_region is empty: set it, or the environment variable AWS_REGION",
        "instance_sleep_tags and instance_sleep_instances are empty",
        "instance_sleep_cpu 0.0 is invalid",
        "instance_sleep_after 1000 is not a multiple of instance_sleep_period 300",
        "instance_sleep_own_instance is 'unknown', not the ID of an instance",
    ):
        assert sentence in message
    malformed = cloud.play("sleep", instance_sleep_cpu="much")
    assert "instance_sleep_cpu" in malformed.failure("localhost")
    assert cloud.aws.calls == []

    message = cloud.aws.refused(cloud.play("sleep"))
    assert f"no instance in {HOME} has the tags Team=web: check instance_sleep_tags" in message
    cloud.launch("build")
    message = cloud.aws.refused(cloud.play("wake", instance_sleep_instances=["build", "biuld"]))
    assert f"no instance in {HOME} has the ID or the Name 'biuld' and the tags Team=web" in message

    user = cloud.aws.client("iam", HOME)
    user.create_user(UserName="operator")
    allowed = json.loads(iam_policies.for_moto("instance-sleep").replace("cloudwatch:", "monitoring:"))
    allowed["Statement"][1]["Action"] = ["monitoring:DeleteAlarms"]
    user.put_user_policy(UserName="operator", PolicyName="own", PolicyDocument=json.dumps(allowed))
    keys = user.create_access_key(UserName="operator")["AccessKey"]
    requests.post(f"{cloud.aws.address}/moto-api/reset-auth", data="0", timeout=10)
    try:
        with monkeypatch.context() as operator:
            operator.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
            operator.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
            denied = cloud.play("sleep").failure("localhost")
    finally:
        requests.post(f"{cloud.aws.address}/moto-api/reset-auth", data="inf", timeout=10)
    # AWS calls the service cloudwatch.
    assert "the credentials may not call monitoring:PutMetricAlarm: allow it in their policy" in denied
    assert cloud.alarms() == {}
    for name in KEYS:
        monkeypatch.delenv(name.upper())
    assert "no usable AWS credentials" in cloud.aws.refused(cloud.play("sleep"))


def test_the_policy_of_the_guide_allows_the_calls_that_were_made(played: set[tuple[str, str]]) -> None:
    assert iam_policies.denied("instance-sleep", played) == set()


@pytest.mark.slow
def test_the_policy_of_the_guide_allows_no_others(played: set[tuple[str, str]], request: pytest.FixtureRequest) -> None:
    iam_policies.require_all_calls(request)
    assert iam_policies.unused("instance-sleep", played) == NEVER_CALLED
