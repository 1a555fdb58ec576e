# SPDX-License-Identifier: Apache-2.0
"""Claims about an instance with the role host_metrics."""

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host


@pytest.fixture(scope="module")
def provider(variable: Callable[[str, Any], Any]) -> str:
    name: str = variable("host_metrics_provider", "none")
    if name == "none":
        pytest.skip("the inventory sets no host_metrics_provider")
    return name


def test_the_publisher_runs_now_and_after_a_boot(host: Host, provider: str) -> None:
    unit = {"script": "slipway-metrics.timer", "cloudwatch_agent": "amazon-cloudwatch-agent.service"}[provider]
    assert host.service(unit).is_enabled
    assert host.service(unit).is_running


def test_the_last_readings_were_accepted_by_cloudwatch(host: Host, provider: str) -> None:
    if provider != "script":
        pytest.skip("the agent reports failures only in its own log")
    assert host.check_output("systemctl show --property=Result --value slipway-metrics.service") == "success"
