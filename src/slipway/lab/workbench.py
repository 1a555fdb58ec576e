# SPDX-License-Identifier: Apache-2.0
"""Disposable hosts for programs, such as the tests and the benchmark."""

import os
import shlex
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docker.models.containers import Container

from slipway.lab import hosts, images, inventory, play, snapshots
from slipway.lab.lab import Lab
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.play import Run, ok

SITE = PROJECT / "playbooks/site.yml"


@dataclass(frozen=True)
class Host(ABC):
    """A disposable host and the operations on it."""

    name: str
    inventory: Path

    @abstractmethod
    def run(self, *command: str) -> tuple[int, str]:
        """Run a command on the host; return its exit status and output."""

    def sh(self, script: str) -> str:
        """Run a script on the host and return its output. Raises RuntimeError if it fails."""
        status, output = self.run("sh", "-ec", script)
        if status:
            raise RuntimeError(f"{script!r} failed on {self.name} with status {status}:\n{output}")
        return output

    def journal(self, *options: str) -> str:
        """Return what journalctl shows with these options, including what was written last."""
        return self.sh(f"journalctl --sync; {shlex.join(['journalctl', '--no-pager', *options])}")

    def converge(self, *options: str, **variables: Any) -> Run:
        """Run site.yml on the host with ansible-playbook options and these variables."""
        return play.run(SITE, self.inventory, variables, list(options))

    def converge_until(self, moment: Callable[[str], bool], **variables: Any) -> None:
        """Run site.yml on the host and kill -9 it at a moment: see `play.kill_at`."""
        play.kill_at(moment, SITE, self.inventory, variables)

    def play(
        self, *tasks: dict[str, Any], options: tuple[str, ...] = (), variables: dict[str, Any] | None = None
    ) -> Run:
        """Run the tasks on the host in one play."""
        playbook = self.inventory.with_name("play.yml")
        playbook.write_text(yaml.safe_dump([{"hosts": "docker_hosts", "gather_facts": False, "tasks": list(tasks)}]))
        return play.run(playbook, self.inventory, variables, list(options))

    def apply(self, role: str, *options: str, **variables: Any) -> Run:
        """Run one role on the host."""
        task = {"ansible.builtin.import_role": {"name": f"slipway.platform.{role}"}}
        return self.play(task, options=options, variables=variables)

    def attempts(self, *tasks: dict[str, Any]) -> list[dict[str, Any]]:
        """Run all tasks in one play, even after failures; return their results in order."""
        run = ok(self.play(*({**task, "ignore_errors": True} for task in tasks)))
        return [result for _, result in run.results(self.name)]

    def refusals(self, role: str, cases: dict[str, dict[str, Any]]) -> dict[str, str]:
        """Run a role once per named set of variables, in one play; return the failure messages by name.

        The message is "" for a case that did not fail.
        """
        return self.messages(self.tries(role, cases), cases)

    def tries(self, role: str, cases: dict[str, dict[str, Any]], *options: str) -> Run:
        """Run a role once per named set of variables, in one play, which goes on after each failure."""
        blocks = [
            {
                "block": [{"ansible.builtin.include_role": {"name": f"slipway.platform.{role}"}, "vars": variables}],
                "rescue": [
                    {"name": f"case {name}", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
                ],
            }
            for name, variables in cases.items()
        ]
        return ok(self.play(*blocks, options=options))

    def messages(self, tried: Run, cases: Iterable[str]) -> dict[str, str]:
        """Return the failure messages of such a run by name."""
        said = {name: str(result["msg"]) for name, result in tried.results(self.name) if "msg" in result}
        return {name: said.get(f"case {name}", "") for name in cases}

    def verify(self, claims: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a file of tests/verify against the host, with these variables in its inventory."""
        known = yaml.safe_load(self.inventory.read_text())
        known["docker_hosts"]["vars"] |= variables
        path = self.inventory.with_name("verify.yml")
        path.touch(mode=0o600)  # it holds the lab's passwords
        path.write_text(yaml.safe_dump(known))
        where = [f"--ansible-inventory={path}", "--hosts=ansible://docker_hosts", f"tests/verify/{claims}"]
        command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *where]
        # Options of the surrounding pytest would change what is printed.
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class LabHost(Host):
    """A host that is a container."""

    container: Container

    def run(self, *command: str) -> tuple[int, str]:
        return hosts.run(self.container, *command)

    def reboot(self) -> None:
        """Reboot the host and wait until it is up."""
        hosts.reboot(self.container)


class Workbench:
    """Creates hosts in a lab, and removes them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.fingerprint = images.fingerprint(lab.client, lab.images)
        self._made: list[str] = []

    def make(
        self, name: str, *, image: str | None = None, isolated: bool = False, isolated_alias: str | None = None
    ) -> LabHost:
        """Create a host, replacing any left over under that name, and what a run has written beside its inventory.

        The options are those of `hosts.create`.
        """
        name = self.lab.name(name)
        self._made.append(name)
        hosts.destroy(self.lab.client, [name])
        (container,) = hosts.create(self.lab, [name], image=image, isolated=isolated, isolated_alias=isolated_alias)
        path = LAB / "workbench" / name / "hosts.yml"
        shutil.rmtree(path.parent, ignore_errors=True)
        inventory.write(path, [name], self.lab)
        return LabHost(name, path, container)

    def make_converged(self, name: str, **variables: Any) -> LabHost:
        """Create a host that was converged by site.yml with these variables and then rebooted."""
        return self.make(name, image=self._converged_image(name, variables))

    def _converged_image(self, name: str, variables: dict[str, Any]) -> str:
        def converged() -> Container:
            # Unless it is another engine, a change of a host with the defaults: seconds instead of a minute.
            is_change = variables and "docker_engine_version" not in variables
            host = self.make(name, image=self._converged_image(name, {}) if is_change else None)
            ok(host.converge(**variables))
            # Containers share the kernel's boot id: journal entries of the converge would seem to be of the next boot.
            host.sh("journalctl --rotate; rm --force /var/log/journal/*/*@*")
            return host.container

        return snapshots.prepare(self.lab, variables, converged)

    def clear(self) -> None:
        """Remove the created hosts."""
        hosts.destroy(self.lab.client, self._made)
