# SPDX-License-Identifier: Apache-2.0
"""A role's defaults and its argument_specs are one interface, told twice: they must agree."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import yaml_files

ROLES = sorted(path for path in (Path(__file__).parents[3] / "roles").iterdir() if path.is_dir())
# Files that may be entry points of their own: of playbooks that bake, upgrade, back up or restore, of a report, and of
# hosts of a cache.
ENTRY_POINTS = {
    "activate.yml",
    "backup.yml",
    "drain.yml",
    "preflight.yml",
    "rejoin.yml",
    "report.yml",
    "restore.yml",
    "trust.yml",
}


def load(path: Path) -> Any:
    return yaml_files.read(path)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_argument_specs_agree(role: Path) -> None:
    defaults = load(role / "defaults/main.yml")
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert defaults == {name: option.get("default") for name, option in options.items()}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_name_carries_the_role_s_prefix(role: Path) -> None:
    assert all(name.startswith(f"{role.name}_") for name in load(role / "defaults/main.yml"))
    inside = role / "vars/main.yml"
    assert all(name.startswith(f"__{role.name}_") for name in (load(inside) if inside.exists() else {}))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_result_has_the_name_of_a_variable(role: Path) -> None:
    """It would stay for the host, so that the role's second run in a playbook would read the result of the first."""
    names = {
        *load(role / "defaults/main.yml"),
        *(load(role / "vars/main.yml") or {} if (role / "vars/main.yml").exists() else {}),
    }
    texts = [path.read_text() for folder in ("tasks", "handlers") for path in (role / folder).glob("*.yml")]
    assert not names.intersection(re.findall(r"\bregister: (\w+)", "\n".join(texts)))


def phase_of(task: dict[str, Any]) -> str:
    """Return the file of tasks that a task imports or includes; a template may ask for collections around it."""
    named = task.get("ansible.builtin.import_tasks") or task["ansible.builtin.include_tasks"]
    found = re.search(r"\w+\.yml", named["file"] if isinstance(named, dict) else named)
    assert found, named
    return found.group()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_table_of_contents_lists_every_phase(role: Path) -> None:
    phases = [phase_of(task) for task in load(role / "tasks/main.yml")]
    tasks = [task for phase in phases for task in load(role / "tasks" / phase)]
    within = [step for task in tasks for step in task.get("block", [task])]
    included = [phase_of(step) for step in within if "ansible.builtin.include_tasks" in step]
    others = {path.name for path in (role / "tasks").glob("*.yml")} - {"main.yml"}
    assert {*phases, *included} - ENTRY_POINTS == others - ENTRY_POINTS


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_task_names_start_with_their_phase(role: Path) -> None:
    for path in (role / "tasks").glob("*.yml"):
        if path.name != "main.yml":
            for task in load(path):
                assert task["name"].startswith(f"{path.stem.replace('_', ' ').capitalize()} | "), task["name"]
