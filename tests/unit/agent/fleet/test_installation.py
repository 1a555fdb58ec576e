# SPDX-License-Identifier: Apache-2.0
"""The settings and units that the role docker_firstboot writes for an instance of a fleet."""

import json
import re
from typing import Any

import jinja2
import pytest
from slipway_agent.fleet.settings import Settings, read

from tests.support import yaml_files
from tests.unit.agent.conftest import ROLES
from tests.unit.agent.fleet.conftest import Instance

ROLE = ROLES / "docker_firstboot"
DEFAULTS = yaml_files.read(ROLE / "defaults/main.yml")
INSIDE = yaml_files.read(ROLE / "vars/main.yml")


def rendered(template: str, **variables: Any) -> str:
    """Render a template of the role with its own variables and these."""
    loader = jinja2.FileSystemLoader(ROLE / "templates")
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["to_nice_json"] = json.dumps
    known = {**DEFAULTS, **variables}
    inside = {name: known.get(name[2:], value) for name, value in INSIDE.items()}  # __x is x in its declared type
    return environment.get_template(template).render({**known, **inside})


def test_the_agent_reads_the_settings_that_the_role_writes(instance: Instance) -> None:
    path = instance.folder / "fleet.json"
    path.write_text(rendered("fleet.json.j2"))
    settings = read(str(path))
    assert isinstance(settings, Settings)
    assert (settings.health_checks, settings.drain_seconds, settings.drain_units) == (5, 300, [])


@pytest.mark.parametrize(
    ("variables", "started"),
    [
        ({}, []),
        ({"docker_firstboot_fleet": True}, ["slipway-drain.service", "slipway-health.timer"]),
        ({"docker_firstboot_fleet": True, "docker_firstboot_health_checks": 0}, ["slipway-drain.service"]),
    ],
)
def test_the_boot_starts_what_a_fleet_needs(variables: dict[str, Any], started: list[str]) -> None:
    unit = rendered("docker-firstboot.service.j2", **variables)
    wanted = " ".join(re.findall(r"^Wants=(.*)$", unit, re.MULTILINE)).split()
    assert wanted == ["network-online.target", *started]


@pytest.mark.parametrize("unit", ["slipway-drain.service", "slipway-health.timer"])
def test_a_unit_of_a_fleet_has_no_preset_and_restarts_with_the_boot(unit: str) -> None:
    text = rendered(f"{unit}.j2")
    assert "[Install]" not in text  # or systemd could disable it at the first boot
    assert "PartOf=docker-firstboot.service" in text
