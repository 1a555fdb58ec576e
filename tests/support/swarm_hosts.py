# SPDX-License-Identifier: Apache-2.0
"""Lab hosts as the managers and workers of a swarm."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slipway.lab import play
from slipway.lab.paths import PROJECT
from slipway.lab.workbench import LabHost

# Without single quotes, so that it may stand in a script that has them.
LIST = 'docker node ls --format "{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}" | sort'


@dataclass(frozen=True)
class SwarmHosts:
    """Hosts in the groups of the inventory. Variables by host override those of a run."""

    managers: list[LabHost]
    workers: list[LabHost]

    @property
    def hosts(self) -> list[LabHost]:
        return self.managers + self.workers

    def inventory(self, **by_host: dict[str, Any]) -> Path:
        """Write the inventory; by_host has the variables of hosts, with _ for - in their names."""
        path = self.hosts[0].inventory.with_name("swarm.yml")
        known = yaml.safe_load(self.hosts[0].inventory.read_text())["docker_hosts"]
        groups = {
            group: {"hosts": {host.name: by_host.get(host.name.replace("-", "_"), {}) for host in hosts}}
            for group, hosts in (("docker_swarm_managers", self.managers), ("docker_swarm_workers", self.workers))
        }
        path.touch(mode=0o600)  # it holds the lab's passwords
        path.write_text(yaml.safe_dump({"docker_hosts": {"children": groups, "vars": known["vars"]}}))
        return path

    def playbook(self, name: str, *options: str, **variables: Any) -> play.Run:
        """Run a playbook of the project."""
        return play.run(PROJECT / "playbooks" / name, self.inventory(), variables, list(options))

    def apply(
        self,
        *options: str,
        role: str = "docker_swarm",
        by_host: dict[str, dict[str, Any]] | None = None,
        **variables: Any,
    ) -> play.Run:
        """Run one role alone, docker_swarm by default."""
        inventory = self.inventory(**(by_host or {}))
        return play.run(self._play(inventory, role), inventory, variables, list(options))

    def apply_until(self, moment: Callable[[str], bool]) -> None:
        """Run the role docker_swarm and kill -9 it at a moment: see `play.kill_at`."""
        inventory = self.inventory()
        play.kill_at(moment, self._play(inventory), inventory)

    def _play(self, inventory: Path, role: str = "docker_swarm") -> Path:
        path = inventory.with_name("swarm_play.yml")
        roles = [{"role": f"slipway.platform.{role}"}]
        hosts = "docker_swarm_managers:docker_swarm_workers"
        path.write_text(yaml.safe_dump([{"hosts": hosts, "gather_facts": False, "roles": roles}]))
        return path

    def changed(self, run: play.Run) -> list[str]:
        """Return the tasks of a run that changed something, on any host."""
        return [name for host in self.hosts for name in play.ok(run).changed(host.name)]

    def refusal(self, run: play.Run) -> str:
        """Return the one message with which the run failed, on whichever host it did."""
        said = {run.failure(host.name) for host in self.hosts} - {""}
        assert run.status != 0, run.output
        return " / ".join(sorted(said))

    def verify(self, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the claims of tests/verify about swarms against the hosts."""
        inventory = self.inventory()
        known = yaml.safe_load(inventory.read_text())
        known["docker_hosts"]["vars"] |= variables
        inventory.write_text(yaml.safe_dump(known))
        where = [f"--ansible-inventory={inventory}", "--hosts=ansible://docker_hosts", "tests/verify/test_swarm.py"]
        command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *where]
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)

    def states(self) -> list[str]:
        """Return what each host says of its membership."""
        shown = "docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'"
        return [host.sh(shown) for host in self.hosts]

    def nodes(self, host: LabHost | None = None) -> list[str]:
        """Return hostname, state, availability and what kind of manager it is, of all nodes."""
        return [line.strip() for line in (host or self.managers[0]).sh(LIST).splitlines()]


def inspected(host: LabHost, node: str) -> dict[str, Any]:
    """Return the spec of a node, as a manager knows it."""
    found: dict[str, Any] = json.loads(host.sh(f"docker node inspect {node}"))[0]["Spec"]
    return found
