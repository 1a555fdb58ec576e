# SPDX-License-Identifier: Apache-2.0
"""Molecule's scenarios, which take their turns beside the other tests; `molecule test -s <name>` runs one alone."""

import os
import subprocess

import pytest

from slipway.lab.lab import Lab
from slipway.lab.paths import PROJECT

# Minutes each, and their claims are made in parts by tests that are not slow.
SLOW = {"airgap", "bake", "lifecycle", "migrate", "proxy", "registry", "swarm"}
# Devices and mounts of a machine's root file system.
NEEDS_ROOT = {"bake"}
SCENARIOS = [
    pytest.param(
        name,
        marks=[
            *([pytest.mark.slow] if name in SLOW else []),
            pytest.mark.skipif(name in NEEDS_ROOT and os.geteuid() != 0, reason="only root can"),
        ],
    )
    for name in sorted(path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml"))
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_goes_through_all_its_steps(lab: Lab, scenario: str) -> None:
    done = subprocess.run(
        ["molecule", "test", f"--scenario-name={scenario}"],
        cwd=PROJECT,
        env={**os.environ, "LAB": "offline", "LAB_PREFIX": lab.prefix},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
