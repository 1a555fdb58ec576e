# SPDX-License-Identifier: Apache-2.0
"""No text of a variable or of a host becomes part of a shell's command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[3]
FILES = sorted(
    path
    for pattern in ("roles/*/tasks/**/*.yml", "roles/*/handlers/**/*.yml", "playbooks/**/*.yml")
    for path in PROJECT.glob(pattern)
)
SHELL = re.compile(r"(?:ansible\.builtin\.)?(?:shell|raw|script)")
COMMAND = re.compile(r"(?:ansible\.builtin\.)?command")
STARTS_A_SHELL = re.compile(r"(?:^|[\s/'\"])(?:ba|da|k|z)?sh['\"]?,? +['\"]?-\w*c\b|^[\s'\"]*eval\b")
LISTS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")


class Loader(yaml.CSafeLoader):
    """Reads !unsafe and !vault as what they tag."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def tasks_of(items: Any) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a task file, or of the plays of a playbook, with those within blocks."""
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield item
            for name in LISTS:
                yield from tasks_of(item.get(name))


def interpolated_shells(text: str) -> list[str]:
    """Return the names of tasks that make a text part of a shell's command."""
    found = []
    for task in tasks_of(yaml.load(text, Loader)):
        for module, arguments in task.items():
            written = str(arguments) + str(task.get("args", ""))
            shell = SHELL.fullmatch(module) or (
                COMMAND.fullmatch(module) and STARTS_A_SHELL.search(words_of(arguments))
            )
            if shell and re.search(r"\{\{|\{%", written):
                found.append(str(task.get("name")))
    return found


def words_of(arguments: Any) -> str:
    """Return the command of a task, whichever of its forms it has."""
    if isinstance(arguments, dict):
        arguments = arguments.get("argv") or arguments.get("cmd") or ""
    return " ".join(map(str, arguments)) if isinstance(arguments, list) else str(arguments)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_shell_command_holds_a_variable(path: Path) -> None:
    assert interpolated_shells(path.read_text()) == []


@pytest.mark.parametrize(
    "task",
    [
        "shell: echo {{ x }}",
        "ansible.builtin.shell: {cmd: 'echo {{ x }}'}",
        "ansible.builtin.raw: rm {{ x }}",
        "ansible.builtin.script: {cmd: 'a.sh {{ x }}'}",
        "ansible.builtin.command: sh -c 'echo {{ x }}'",
        "ansible.builtin.command: {argv: [/bin/bash, -ec, 'echo {{ x }}']}",
        "block: [{name: bad, ansible.builtin.shell: '{% if x %}a{% endif %}'}]",
    ],
)
def test_a_shell_command_with_a_variable_is_recognized(task: str) -> None:
    assert interpolated_shells(f"- name: bad\n  {task}\n") == ["bad"]
    assert interpolated_shells(f"- hosts: all\n  tasks:\n    - name: bad\n      {task}\n") == ["bad"]


@pytest.mark.parametrize(
    "task",
    [
        "ansible.builtin.raw: test -w /",
        "ansible.builtin.shell: echo $HOME | wc -c",
        "ansible.builtin.command: {argv: [finish, -c, '{{ x }}']}",
    ],
)
def test_another_command_is_accepted(task: str) -> None:
    assert interpolated_shells(f"- name: good\n  {task}\n") == []
