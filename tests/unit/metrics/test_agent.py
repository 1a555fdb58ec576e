# SPDX-License-Identifier: Apache-2.0
"""What the CloudWatch agent is told to publish is what the script publishes.

The agent names a metric <section>_<measurement>. Without a unit it sends swap_used_percent as Bytes, so each has one.
"""

import json
from typing import Any

import pytest
from slipway_aws import readings

from tests.unit.metrics.conftest import Command, rendered


def configuration(**variables: Any) -> Any:
    """The agent's, by the role's template."""
    return json.loads(rendered("amazon-cloudwatch-agent.json.j2", **variables))


def test_names_and_units_are_those_of_the_script() -> None:
    collected = configuration()["metrics"]["metrics_collected"]
    of_agent = {
        (f"{section}_{measurement['name']}", measurement["unit"])
        for section, content in collected.items()
        for measurement in content["measurement"]
    }
    taken, _ = readings.take(["/"], [])
    assert of_agent == {(reading.name, reading.unit) for reading in taken}


def test_dimensions_and_aggregations_are_those_of_the_script(command: Command) -> None:
    metrics = configuration()["metrics"]
    assert metrics["append_dimensions"] == {name: f"${{aws:{name}}}" for name in ("InstanceId", "AutoScalingGroupName")}
    assert metrics["aggregation_dimensions"] == command.content["aggregations"]
    assert metrics["metrics_collected"]["disk"]["drop_device"] is True
    assert metrics["namespace"] == command.content["namespace"]


@pytest.mark.parametrize(("mounts", "filtered"), [(["*"], True), (["/", "/data"], False)])
def test_kinds_of_file_systems_are_ignored_only_where_no_mount_is_named(mounts: list[str], filtered: bool) -> None:
    disk = configuration(host_metrics_mounts=mounts)["metrics"]["metrics_collected"]["disk"]
    assert disk["resources"] == mounts
    assert ("ignore_file_system_types" in disk) is filtered


def test_region_and_endpoint_are_told_where_they_are_named() -> None:
    named = configuration(host_metrics_region="eu-central-1", host_metrics_endpoint="https://vpce.example.com")
    assert named["agent"]["region"] == "eu-central-1"
    assert named["metrics"]["endpoint_override"] == "https://vpce.example.com"
    assert "region" not in configuration()["agent"]
    assert "endpoint_override" not in configuration()["metrics"]
