# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The packages of plugins/module_utils, and what a module carries to a host."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
COLLECTION = "ansible_collections.slipway.platform.plugins"
# Each package, and the packages that it may import; no line names one that stands below it.
MAY_IMPORT: dict[str, set[str]] = {
    "host": set(),
    "net": set(),
    "machine_image": set(),
    "module": {"net"},
    "sealing": {"host", "machine_image"},
    "packages": {"host", "net"},
    "daemon": {"host", "net", "machine_image", "module"},
    "registry": {"host", "net", "machine_image", "module", "daemon"},
    "images": {"host", "machine_image", "registry", "daemon"},
    "engine": {"host", "daemon", "images"},
    "firewall": {"host", "daemon"},
    "rootless": {"host", "module", "daemon"},
    "services": {"host", "module", "daemon", "registry", "images"},
    "registry_cache": {"host", "net"},
    "swarm": {"daemon"},
    "preflight": {"host", "packages", "daemon"},
    "mirror": {"host", "packages"},
    "report": {"host", "packages", "daemon", "engine"},
}
UTILS = sorted(PROJECT.glob("plugins/module_utils/*/*.py"))
MODULES = sorted(PROJECT.glob("plugins/modules/*.py"))
# In bytes as sent, to every host at every task: AnsibleModule itself is 169 000 of them, a zip of 123 000 in base64.
LARGEST_PAYLOAD = 285_000


def imported(path: Path) -> set[str]:
    """Return what a file imports, as dotted names without the names taken from a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def rooms_imported(path: Path) -> set[str]:
    """Return the other packages of module_utils that a file of one imports."""
    prefix = f"{COLLECTION}.module_utils."
    rooms = {name.removeprefix(prefix).split(".")[0] for name in imported(path) if name.startswith(prefix)}
    return rooms - {path.parent.name}


def test_every_util_is_in_a_package_of_the_table() -> None:
    assert {path.parent.name for path in UTILS} == set(MAY_IMPORT)
    assert list(PROJECT.glob("plugins/module_utils/*.py")) == []


@pytest.mark.parametrize("path", UTILS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_util_imports_only_packages_below_its_own(path: Path) -> None:
    assert rooms_imported(path) <= MAY_IMPORT[path.parent.name]


def test_the_table_has_no_cycle() -> None:
    seen: set[str] = set()
    for room, below in MAY_IMPORT.items():
        assert below <= seen
        seen.add(room)


@pytest.mark.parametrize("path", UTILS + MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_on_a_host_imports_what_is_for_the_controller_or_pulls_the_facts_in(path: Path) -> None:
    assert not [
        name for name in imported(path) if name.startswith(("ansible.module_utils.facts", f"{COLLECTION}.plugin_utils"))
    ]


def test_packages_ship_no_code_of_their_own() -> None:
    assert {path.parent.name: path.read_text() for path in UTILS if path.name == "__init__.py"} == dict.fromkeys(
        MAY_IMPORT, ""
    )


@pytest.mark.program
def test_modules_are_small_enough_to_be_sent_to_every_host() -> None:
    names = [f"slipway.platform.{path.stem}" for path in MODULES]
    command = [sys.executable, "-m", "tests.support.payloads", *names]
    payloads = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=PROJECT).stdout)
    assert len(payloads) == len(MODULES)
    assert {name: size for name, size in payloads.items() if size > LARGEST_PAYLOAD} == {}
