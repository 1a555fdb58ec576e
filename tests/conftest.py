# SPDX-License-Identifier: Apache-2.0
"""What all tests have in common, and how they are shared out where several processes run them (pytest-xdist)."""

import os
import re
from typing import Any

import hypothesis
import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

# Tests set the modes that they are about; the user's umask must not change the others.
os.umask(0o022)

# A busy machine is no reason to fail: times belong in the benchmark. Nor is a change to blame for what chance finds:
# tests take the same values each time, and `pytest --hypothesis-profile=search tests/unit` looks for other ones.
hypothesis.settings.register_profile("slipway", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("slipway")

# Units of work that take long, so that they are not begun last; what is not named comes after them, unit tests last.
LONG = (
    "scenario bake",
    "tests/lab/test_fleet.py",
    "tests/lab/test_ami_publish.py",
    "images",
    "tests/lab/test_systems.py",
    "tests/lab/test_faults.py",
    "tests/lab/test_daemon.py",
    "tests/lab/test_host_metrics.py",
    "tests/lab/test_firewall.py",
    "tests/lab/test_removal.py",
    "tests/lab/test_firstboot.py",
    "tests/lab/test_packages.py",
    "tests/lab/test_swarm.py",
    "tests/lab/test_services.py",
    "tests/lab/test_registry_cache.py",
    "scenario registry",
    "scenario default",
    "tests/lab/test_baking.py",
    "tests/lab/test_access.py",
    "tests/lab/test_hardened.py",
    "tests/lab/test_fleet_hooks.py",
)


def unit_of_work(nodeid: str) -> str:
    """Return the name of the tests that one process runs together: as a rule those of a file, which share hosts."""
    scenario = re.search(r"test_scenarios\.py::.*\[(.+)\]", nodeid)
    if scenario:
        return f"scenario {scenario[1]}"
    if re.match(r"tests/lab/test_(image_(build|claims|push|supply)|shipped_images)\.py", nodeid):
        return "images"  # they build on one engine, and look at what was built meanwhile
    return nodeid.partition("::")[0]


class Scheduling(LoadScopeScheduling):
    """Gives each process whole units of work, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of_work(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def order(item: pytest.Item) -> tuple[int, bool]:
        unit = unit_of_work(item.nodeid)
        return LONG.index(unit) if unit in LONG else len(LONG), unit.startswith("tests/unit")

    items.sort(key=order)
