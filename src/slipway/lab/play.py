# SPDX-License-Identifier: Apache-2.0
"""Runs of a playbook against lab hosts, with their results as data: what the tests and the benchmark stand on."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.lab.paths import PROJECT

# Actions that run on the controller alone; whatever else has a result has made a trip to the host.
CONTROLLER_ACTIONS = {"assert", "debug", "fail", "include_vars", "meta", "set_fact", "validate_argument_spec"}


@dataclass(frozen=True)
class Run:
    """One ended run: its exit status, everything it printed, and the JSON callback's account of it."""

    status: int
    output: str
    account: dict[str, Any]

    def results(self, host: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (task name, result) of every task that was run for the host."""
        for play in self.account["plays"]:
            for task in play["tasks"]:
                result = task["hosts"].get(host)
                if result is not None and not result.get("skipped"):
                    yield task["task"]["name"], result

    def module_invocations(self, host: str) -> list[str]:
        """Return the names of the tasks that ran a module on the host."""
        return [
            name
            for name, result in self.results(host)
            if result["action"].removeprefix("ansible.builtin.") not in CONTROLLER_ACTIONS
        ]

    def changed(self, host: str) -> list[str]:
        """Return the names of the tasks that reported a change."""
        return [name for name, result in self.results(host) if result.get("changed")]

    def failure(self, host: str) -> str:
        """Return the message of the task that failed, or '' if none did."""
        failures = [result for _, result in self.results(host) if result.get("failed") or result.get("unreachable")]
        return str(failures[-1]["msg"]) if failures else ""


def ok(run: Run) -> Run:
    """Return a run that must have succeeded. Raises RuntimeError with all that it printed."""
    if run.status:
        raise RuntimeError(run.output)
    return run


def run(
    playbook: Path,
    inventory: Path,
    variables: dict[str, Any] | None = None,
    options: list[str] | None = None,
) -> Run:
    """Run ansible-playbook of this Python's environment to its end, whatever the end is."""
    done = subprocess.run(
        _command(playbook, inventory, variables, options),
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, _account(done.stdout))


def kill_at(
    moment: Callable[[str], bool],
    playbook: Path,
    inventory: Path,
    variables: dict[str, Any] | None = None,
) -> None:
    """Run ansible-playbook and kill -9 it as soon as moment is true, which is asked with every line that it prints.

    What it has started on a host may run on. Raises RuntimeError when the run ends before the moment comes.
    """
    with subprocess.Popen(
        _command(playbook, inventory, variables, None),
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line)
            if moment(line):
                os.killpg(process.pid, signal.SIGKILL)
                return
        raise RuntimeError("The run ended before it could be killed:\n" + "".join(printed))


def _command(playbook: Path, inventory: Path, variables: dict[str, Any] | None, options: list[str] | None) -> list[str]:
    return [
        "ansible-playbook",
        f"--inventory={inventory}",
        f"--extra-vars={json.dumps(variables or {})}",
        *(options or []),
        str(playbook),
    ]


def _account(printed: str) -> dict[str, Any]:
    """Return the callback's JSON, before which warnings may stand; an account of nothing if the run had no plays."""
    start = printed.find("{\n")
    account: dict[str, Any] = json.loads(printed[start:]) if start >= 0 else {"plays": []}
    return account
