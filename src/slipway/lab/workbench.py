# SPDX-License-Identifier: Apache-2.0
"""Disposable hosts for programs: what the tests and the benchmark make, drive and throw away."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docker.models.containers import Container

from slipway.lab import hosts, images, inventory, play
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.ready import make_ready

SITE = PROJECT / "playbooks/site.yml"


@dataclass(frozen=True)
class LabHost:
    """One disposable host, and the ways to drive it."""

    name: str
    container: Container
    inventory: Path

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command on the host; return its exit status and output."""
        return hosts.run(self.container, *command)

    def sh(self, script: str) -> str:
        """Run a script on the host that must succeed; return its output."""
        status, output = self.run("sh", "-ec", script)
        if status:
            raise RuntimeError(f"{script!r} failed on {self.name} with status {status}:\n{output}")
        return output

    def converge(self, *options: str, **variables: Any) -> play.Run:
        """Run site.yml on the host with options of ansible-playbook and with these variables."""
        return play.run(SITE, self.inventory, variables, list(options))

    def converge_until(self, moment: Callable[[str], bool], **variables: Any) -> None:
        """Run site.yml on the host and kill -9 it at a moment: see play.kill_at."""
        play.kill_at(moment, SITE, self.inventory, variables)

    def play(
        self, *tasks: dict[str, Any], options: tuple[str, ...] = (), variables: dict[str, Any] | None = None
    ) -> play.Run:
        """Run tasks of a playbook of one's own on the host."""
        playbook = self.inventory.with_name("play.yml")
        playbook.write_text(yaml.safe_dump([{"hosts": "docker_hosts", "gather_facts": False, "tasks": list(tasks)}]))
        return play.run(playbook, self.inventory, variables, list(options))

    def verify(self, claims: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Have a file of tests/verify make its claims about the host, with these variables in its inventory."""
        known = yaml.safe_load(self.inventory.read_text())
        known["docker_hosts"]["vars"] |= variables
        path = self.inventory.with_name("verify.yml")
        path.touch(mode=0o600)  # it has the lab's throw-away passwords
        path.write_text(yaml.safe_dump(known))
        where = [f"--ansible-inventory={path}", "--hosts=ansible://docker_hosts", f"tests/verify/{claims}"]
        command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *where]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    def reboot(self) -> None:
        """Restart the host's machine and wait until it has booted."""
        hosts.reboot(self.container)


class Workbench:
    """Makes hosts on the lab's engine, and removes those that it made."""

    def __init__(self, wanted: str) -> None:
        """Have the lab ready; wanted is a setting, as in LAB=<wanted>."""
        self.engine, self.images = make_ready(wanted)
        self.fingerprint = images.fingerprint(self.engine.client, self.images)
        self._made: list[str] = []

    def make(self, name: str, *, isolated: bool = False, isolated_alias: str | None = None) -> LabHost:
        """Make a new host; one of that name that was left over is thrown away. Where it stands: see hosts.create."""
        self._made.append(name)
        hosts.destroy(self.engine.client, [name])
        container = hosts.create(
            self.engine.client, self.images, [name], isolated=isolated, isolated_alias=isolated_alias
        )[0]
        path = LAB / "workbench" / name / "hosts.yml"
        inventory.write(path, [name], self.engine, self.images)
        return LabHost(name, container, path)

    def clear(self) -> None:
        """Remove the hosts that were made here."""
        hosts.destroy(self.engine.client, self._made)
