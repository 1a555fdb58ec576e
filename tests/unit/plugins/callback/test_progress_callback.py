# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The callback progress in real runs, to a file and to a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.program

PROJECT = Path(__file__).parents[4]
HOSTS = ("one", "two", "three")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
TASKS: list[dict[str, Any]] = [
    {"name": "Phase | Change", "ansible.builtin.command": "true", "when": "inventory_hostname == 'one'"},
    {"name": "Phase | Say", "ansible.builtin.debug": {"msg": ["hello {{ inventory_hostname }}", "\x1b[31mred"]}},
    {
        "block": [{"name": "Phase | Try", "ansible.builtin.command": "false"}],
        "rescue": [{"name": "Phase | Go on", "ansible.builtin.command": "true", "changed_when": False}],
    },
    {
        "name": "End | Fail",
        "ansible.builtin.fail": {"msg": "{{ inventory_hostname }} lacks 7 GiB"},
        "when": "inventory_hostname != 'one'",
    },
    {"name": "End | Keep a secret", "ansible.builtin.command": "echo s3cret", "no_log": True},
]


def command(folder: Path, *options: str) -> tuple[list[str], dict[str, str]]:
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(HOSTS, LOCAL)}}))
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": TASKS}]))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_STDOUT_CALLBACK": "slipway.platform.progress",
        "COLUMNS": "100",
        "LINES": "30",
        "TERM": "xterm",
    }
    return ["ansible-playbook", "--inventory=hosts.yml", *options, "play.yml"], environment


def to_file(folder: Path, *options: str) -> str:
    arguments, environment = command(folder, *options)
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def to_terminal(folder: Path) -> str:
    arguments, environment = command(folder)
    master, slave = pty.openpty()
    with subprocess.Popen(arguments, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave):
        os.close(slave)
        printed = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the other end was closed
                break
            printed += chunk
    os.close(master)
    return printed.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("progress")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    return to_file(folder)


def test_elsewhere_lines_have_the_time_and_no_escape(printed: str) -> None:
    body = printed.split("changed: Phase")[0]
    assert "\x1b" not in printed
    lines = [line for line in printed.splitlines() if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d ", line)]
    assert any(line.endswith(" one: Phase") for line in lines), body
    assert any(line.endswith(" one: changed: Phase | Change") for line in lines)
    assert any(line.endswith(" hello two") for line in lines)


def test_the_end_says_what_changed_where_and_groups_failures_by_cause(printed: str) -> None:
    end = printed.splitlines()[-3:]
    assert "changed: Phase | Change: one" in printed
    assert re.search(
        r"^failed: the same on 2 hosts \((two, three|three, two)\): End \| Fail: \w+ lacks 7 GiB$", printed, re.M
    )
    assert re.fullmatch(r"3 hosts in 0:\d\d: 1 changed, 2 failed", end[-1])
    assert printed.count("lacks 7 GiB") == 2  # when it happened first, and at the end


def test_no_secret_is_printed(printed: str) -> None:
    assert "s3cret" not in printed


def test_the_run_is_kept_for_the_next_estimate_and_the_report(printed: str, folder: Path) -> None:
    record = json.loads((folder / "home/slipway/runs.json").read_text())
    assert {name: run["result"] for name, run in record["hosts"].items()} == {
        "one": "changed",
        "two": "failed",
        "three": "failed",
    }
    assert set(record["playbooks"][str((folder / "play.yml").resolve())]) == set(HOSTS)


def test_a_dry_run_is_not_kept(tmp_path: Path) -> None:
    to_file(tmp_path, "--check")
    assert not (tmp_path / "home/slipway/runs.json").exists()


def test_a_terminal_has_a_line_per_host_with_its_estimate(printed: str, folder: Path) -> None:
    shown = to_terminal(folder)
    assert re.search(r"\n  one +Phase +0:\d\d", shown)
    assert "of about 0:0" in shown
    assert "\x1b[31m" not in shown
    # What is drawn is erased again: up as many lines as there were.
    assert shown.rstrip().splitlines()[-1].startswith("3 hosts in 0:")
    assert "T0" not in re.sub(r"\x1b\[[0-9]*[A-Z]", "", shown).splitlines()[-1]
