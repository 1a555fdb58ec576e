# SPDX-License-Identifier: Apache-2.0
"""Runs playbooks against lab hosts and returns their results as data, for tests and the benchmark."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slipway.lab.paths import PROJECT

CALLBACK = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
ANSIBLE_SERVER = "slipway.lab.ansible_server"
# Actions that run only on the controller; all others run a module on the host.
CONTROLLER_ACTIONS = {"assert", "debug", "fail", "include_vars", "meta", "set_fact", "validate_argument_spec"}


@dataclass(frozen=True)
class Run:
    """A finished run: its exit status, its output, and the report of the JSON callback."""

    status: int
    output: str
    report: dict[str, Any]

    def tasks(self, host: str) -> list[str]:
        """Return the names of the tasks that cost a process for the host, skipped ones included."""
        return [
            task["task"]["name"] for play in self.report["plays"] for task in play["tasks"] if host in task["hosts"]
        ]

    def results(self, host: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (task name, result) of every task that ran for the host."""
        for play in self.report["plays"]:
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

    def warnings(self, host: str) -> list[str]:
        """Return what tasks warned of."""
        return [str(warning) for _, result in self.results(host) for warning in result.get("warnings", [])]

    def failure(self, host: str) -> str:
        """Return the message of the last failed task, or "" if none failed."""
        failures = [result for _, result in self.results(host) if result.get("failed") or result.get("unreachable")]
        return str(failures[-1]["msg"]) if failures else ""


def ok(run: Run) -> Run:
    """Return the run if it succeeded. Raises RuntimeError with its output otherwise."""
    if run.status:
        raise RuntimeError(run.output)
    return run


def run(
    playbook: Path,
    inventory: Path,
    variables: dict[str, Any] | None = None,
    options: list[str] | None = None,
) -> Run:
    """Run ansible-playbook of this Python environment; a failed run is returned, too."""
    status, stdout, stderr = _server().run(_arguments(playbook, inventory, variables, options))
    return Run(status, stdout + stderr, _report(stdout))


def run_command(playbook: Path, inventory: Path, options: list[str] | None = None) -> Run:
    """Run the ansible-playbook command as a user would, for the benchmark; `run` is faster."""
    done = subprocess.run(
        ["ansible-playbook", *_arguments(playbook, inventory, None, options)],
        cwd=PROJECT,
        env={**os.environ, **CALLBACK},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, _report(done.stdout))


class _Server:
    """This process's ansible_server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", ANSIBLE_SERVER],
            cwd=PROJECT,
            env={**os.environ, **CALLBACK},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: list[str]) -> tuple[int, str, str]:
        """Return exit status, stdout and stderr of a run. Raises RuntimeError if the server has died."""
        assert self._process.stdin and self._process.stdout
        with self._lock, TemporaryDirectory() as folder:
            stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
            request = {
                "arguments": arguments,
                "environment": dict(os.environ),
                "stdout": str(stdout),
                "stderr": str(stderr),
            }
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
            if not answer:
                raise RuntimeError(f"{ANSIBLE_SERVER} exited with status {self._process.wait()}")
            return int(answer), stdout.read_text(encoding="utf-8"), stderr.read_text(encoding="utf-8")


@functools.cache
def _server() -> _Server:
    return _Server()


def kill_at(
    moment: Callable[[str], bool],
    playbook: Path,
    inventory: Path,
    variables: dict[str, Any] | None = None,
) -> None:
    """Run ansible-playbook and kill -9 it as soon as moment, called with each line of its output, returns true.

    Processes that it started on a host may keep running. Raises RuntimeError if the run ends first.
    """
    with subprocess.Popen(
        ["ansible-playbook", *_arguments(playbook, inventory, variables, None)],
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


def _arguments(
    playbook: Path, inventory: Path, variables: dict[str, Any] | None, options: list[str] | None
) -> list[str]:
    return [
        f"--inventory={inventory}",
        f"--extra-vars={json.dumps(variables or {})}",
        *(options or []),
        str(playbook),
    ]


def _report(printed: str) -> dict[str, Any]:
    """Return the callback's JSON, which warnings may precede; an empty report if the run had no plays."""
    start = printed.find("{\n")
    report: dict[str, Any] = json.loads(printed[start:]) if start >= 0 else {"plays": []}
    return report
