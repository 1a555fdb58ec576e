# SPDX-License-Identifier: Apache-2.0
"""Arguments of tasks that hold logins are kept from the log, also where the module refuses them before it reads them.

The module hides its passwords; Ansible shows a password under a misspelt name with -vvv.
"""

from pathlib import Path

import pytest
import yaml

from tests.unit.roles.test_shell import FILES, PROJECT, Loader, tasks_of

LOGINS = "slipway.platform.docker_login"
WITHOUT_PASSWORDS = {"logins": "{{ __docker_firstboot_logins }}"}  # of credential helpers


def tasks_with_logins(path: Path) -> list[dict[str, object]]:
    tasks = tasks_of(yaml.load(path.read_text(), Loader))
    return [task for task in tasks if LOGINS in task and task[LOGINS] != WITHOUT_PASSWORDS]


WITH_LOGINS = [path for path in FILES if tasks_with_logins(path)]


@pytest.mark.parametrize("path", WITH_LOGINS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_task_with_logins_is_not_logged(path: Path) -> None:
    assert [task["name"] for task in tasks_with_logins(path) if task.get("no_log") is not True] == []


def test_there_is_such_a_task() -> None:
    assert WITH_LOGINS
