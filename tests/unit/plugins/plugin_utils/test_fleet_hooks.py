# SPDX-License-Identifier: Apache-2.0
"""Lifecycle hooks that could not work, and time-outs that contradict each other."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_hooks
from slipway_agent.aws import autoscaling
from slipway_agent.boot import credentials

from tests.support import yaml_files

ROLES = Path(__file__).parents[4] / "roles"
FLEET, FIRSTBOOT = (yaml_files.read(ROLES / role / "defaults/main.yml") for role in ("ami_fleet", "docker_firstboot"))
BOOT = ("wait_seconds", "pull_url", "pull_seconds", "drain_seconds")
NUMBERS = ("launch_timeout", "termination_timeout", "grace_period")
DEFAULTS: dict[str, Any] = {
    **{name: FLEET[f"ami_fleet_{name}"] for name in ("hooks", "health_check", *NUMBERS)},
    **dict.fromkeys(BOOT, 0),
    "pull_url": "",
    "fleet": None,
    "profile": "web",
}
HOOKS = DEFAULTS | {"hooks": True}
OF_THE_IMAGE = {name: FIRSTBOOT[f"docker_firstboot_{name}"] for name in BOOT} | {"fleet": True}


def test_the_defaults_agree_with_those_of_the_image() -> None:
    assert fleet_hooks.problems(DEFAULTS) == []
    assert fleet_hooks.problems(HOOKS) == fleet_hooks.problems(HOOKS | OF_THE_IMAGE) == []
    assert FIRSTBOOT["docker_firstboot_wait_seconds"] == fleet_hooks.WAIT_SECONDS
    assert FIRSTBOOT["docker_firstboot_pull_seconds"] == fleet_hooks.PULL_SECONDS
    assert FIRSTBOOT["docker_firstboot_drain_seconds"] == fleet_hooks.DRAIN_SECONDS
    assert fleet_hooks.LAST_LOOK_SECONDS == credentials.LAST_LOOK_SECONDS


def test_group_and_agent_name_the_hooks_alike() -> None:
    wanted = yaml_files.read(ROLES / "ami_fleet/vars/main.yml")["__ami_fleet_hooks_wanted"]
    assert f"'{autoscaling.LAUNCH_HOOK}', 'transition': 'autoscaling:EC2_INSTANCE_LAUNCHING'" in wanted
    assert f"'{autoscaling.TERMINATION_HOOK}', 'transition': 'autoscaling:EC2_INSTANCE_TERMINATING'" in wanted


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"profile": ""}, "ami_fleet_instance_profile is empty, so no instance could complete its hook"),
        ({"fleet": False}, "docker_firstboot_fleet is false, so no instance would complete its hook"),
        ({"launch_timeout": 29}, "ami_fleet_launch_timeout 29 is invalid: set 30 to 7200 seconds"),
        (
            {"launch_timeout": 239},
            "the first heartbeat of a boot may take 240 s (docker_firstboot_wait_seconds 120 and",
        ),
        ({"wait_seconds": 481}, "ami_fleet_launch_timeout is 600, but the first heartbeat of a boot may take 601 s"),
        (
            {"pull_url": "https://x/y", "pull_seconds": 59401},
            "a first boot may take 60001 s (docker_firstboot_wait_seconds, docker_firstboot_pull_seconds), but a hook",
        ),
        ({"termination_timeout": 7201}, "ami_fleet_termination_timeout 7201 is invalid"),
        ({"termination_timeout": 329}, "instances drain for up to 300 s (docker_firstboot_drain_seconds)"),
        ({"drain_seconds": 331}, "ami_fleet_termination_timeout is 360, but instances drain for up to 331 s"),
        (
            {"hooks": False, "health_check": "ELB", "wait_seconds": 120},
            "ami_fleet_grace_period is 300, but a first boot may take 480 s",
        ),
        (
            {"hooks": False, "health_check": "ELB", "pull_url": "https://x/y", "grace_period": 2279},
            "ami_fleet_grace_period is 2279, but a first boot may take 2280 s",
        ),
    ],
)
def test_each_problem_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    """Fault: a time-out that is shorter than the boot or the drain that it waits for; hooks that no instance could
    complete. Outcome: one sentence with the variables; nothing is made.
    """
    (problem,) = fleet_hooks.problems(HOOKS | wrong)
    assert sentence in problem


@pytest.mark.parametrize(
    "right",
    [
        {"launch_timeout": 240, "termination_timeout": 330},
        {"pull_url": "https://x/y", "pull_seconds": 59400},
        {"hooks": False, "health_check": "ELB", "wait_seconds": 120, "grace_period": 480},
        {"hooks": False, "health_check": "ELB"},
        {"hooks": False, "health_check": "EC2", "wait_seconds": 1200},
        {"hooks": False, "profile": "", "launch_timeout": 1},
    ],
)
def test_what_fits_is_accepted(right: dict[str, Any]) -> None:
    assert fleet_hooks.problems(HOOKS | right) == []
