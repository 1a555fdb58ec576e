# SPDX-License-Identifier: Apache-2.0
"""Invalid settings of docker_firstboot for instances of a fleet."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.slipway.platform.plugins.plugin_utils import firstboot_fleet

DEFAULTS = yaml.safe_load(
    (Path(__file__).parents[4] / "roles/docker_firstboot/defaults/main.yml").read_text(encoding="utf-8")
)
GOOD: dict[str, Any] = {
    **{name: DEFAULTS[f"docker_firstboot_{name}"] for name in (*firstboot_fleet.LIMITS, "fleet_endpoint")},
    "enabled": True,
    "drain_units": ["fluent-bit.service", "app@1.service"],
}


def test_the_defaults_have_no_problem() -> None:
    assert firstboot_fleet.problems(GOOD) == []
    assert firstboot_fleet.problems(GOOD | {"health_checks": "0", "fleet_endpoint": "https://vpce.example.com"}) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"enabled": False}, "docker_firstboot_enabled is not, so nothing would complete the launch hook"),
        ({"health_checks": -1}, "docker_firstboot_health_checks is not a whole number from 0 to 100"),
        ({"health_interval": "often"}, "docker_firstboot_health_interval is not a whole number from 10 to 3600"),
        ({"health_share": 0}, "docker_firstboot_health_share is not a whole number from 1 to 100"),
        ({"drain_seconds": 7200}, "docker_firstboot_drain_seconds is not a whole number from 10 to 7000"),
        ({"drain_units": ["fluent-bit"]}, "'fluent-bit' in docker_firstboot_drain_units is not the name of a systemd"),
        ({"drain_units": ["--now.service x"]}, "is not the name of a systemd unit"),
        ({"drain_units": ["--all.service"]}, "is not the name of a systemd unit"),
        ({"fleet_endpoint": "http://vpce.example.com"}, "docker_firstboot_fleet_endpoint does not start with https://"),
    ],
)
def test_each_problem_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = firstboot_fleet.problems(GOOD | wrong)
    assert sentence in problem
