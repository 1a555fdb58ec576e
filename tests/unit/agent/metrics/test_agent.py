# SPDX-License-Identifier: Apache-2.0
"""The CloudWatch agent is configured to publish the same metrics as the script.

The agent names a metric <section>_<measurement>. Without a unit, it publishes swap_used_percent in bytes.
"""

import json
from typing import Any

import pytest
from slipway_agent.metrics import readings

from tests.unit.agent.metrics.conftest import Command, rendered


def configuration(**variables: Any) -> Any:
    """Return the agent's configuration from the role's template."""
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
def test_file_system_types_are_ignored_only_if_no_mounts_are_listed(mounts: list[str], filtered: bool) -> None:
    disk = configuration(host_metrics_mounts=mounts)["metrics"]["metrics_collected"]["disk"]
    assert disk["resources"] == mounts
    assert ("ignore_file_system_types" in disk) is filtered


def test_region_and_endpoint_are_configured_only_if_they_are_set() -> None:
    named = configuration(host_metrics_region="eu-central-1", host_metrics_endpoint="https://vpce.example.com")
    assert named["agent"]["region"] == "eu-central-1"
    assert named["metrics"]["endpoint_override"] == "https://vpce.example.com"
    assert "region" not in configuration()["agent"]
    assert "endpoint_override" not in configuration()["metrics"]
