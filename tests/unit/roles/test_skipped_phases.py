# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The phases of a role that query AWS before anything else work without each other."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.unit.roles.test_texts import PROGRAM, PROJECT, PYTHON, ROLE_STATE

pytestmark = pytest.mark.program

PHASES = {
    "ami_fleet": ["group", "refresh", "scaling", "template"],
    "ami_publish": ["backup", "images", "prune", "report"],
}
# With these, every phase has something to do.
SETTINGS: dict[str, dict[str, Any]] = {
    "ami_fleet": {"ami_fleet_scaling_policies": [{"name": "cpu", "metric": "cpu", "target": 60}]},
    "ami_publish": {"ami_publish_prune_keep": 3, "ami_publish_backup_keep": 3, "ami_publish_report_days": 30},
}
# An image, or a group, that an earlier run has made.
MADE: dict[str, dict[str, Any]] = {
    "ami_fleet": {
        "__ami_fleet_group_info": {
            "results": [{"desired_capacity": 1, "instances": [], "launch_template": {"version": "3"}}]
        }
    },
    "ami_publish": {
        "__ami_publish_named": {"results": [{"item": "eu-central-1", "images": [{"image_id": "ami-0", "tags": {}}]}]}
    },
}


def faults(role: str, made: dict[str, Any]) -> dict[str, list[str]]:
    """Return by phase what fails if it is skipped."""
    variables = {**ROLE_STATE[role], **SETTINGS[role], **made}
    run = subprocess.run(
        [PYTHON, PROGRAM],
        input=json.dumps({"role": role, "skipping": variables}) + "\n",
        capture_output=True,
        cwd=PROJECT,
        env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, list[str]] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("is_made", [False, True], ids=["first run", "later run"])
@pytest.mark.parametrize("role", PHASES)
def test_each_phase_can_be_skipped(role: str, is_made: bool) -> None:
    """Fault: `--skip-tags` of one phase of ami_publish or ami_fleet. Outcome: the others run, after the same checks."""
    phases = [f"{role}_{phase}" for phase in PHASES[role]]
    assert faults(role, MADE[role] if is_made else {}) == {phase: [] for phase in phases}
