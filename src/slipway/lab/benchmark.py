# SPDX-License-Identifier: Apache-2.0
"""Measures site.yml and report.yml against bare shell commands and a plain role, alternating, on new hosts.

The plain role, yardstick.yml, has builtin modules alone; another role can be measured beside it. Bare shell commands do
the same install as the role docker_engine. CPU time is the controller's: ansible-playbook and its children.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from rich.table import Table

from slipway.lab import hub, inventory, plot
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.play import ok, run_command
from slipway.lab.progress import console, say
from slipway.lab.ready import make_ready
from slipway.lab.workbench import SITE, LabHost, Workbench

# What a person would type, the key fetched and trusted unseen.
BARE = """
cat > /etc/yum.repos.d/docker-ce.repo <<END
[docker-ce-stable]
name=Docker CE Stable
baseurl=https://download.docker.com/linux/centos/9/$(uname -m)/stable
enabled=1
gpgcheck=1
gpgkey=https://download.docker.com/linux/centos/gpg
END
dnf --assumeyes --quiet install docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
systemctl enable --now docker.service
docker version >/dev/null
"""
REPORT = PROJECT / "playbooks/report.yml"
YARDSTICK = Path(__file__).with_name("yardstick.yml")
PLOT = PROJECT / "docs/development/benchmark.svg"
PING = "- {hosts: docker_hosts, gather_facts: false, tasks: [{ansible.builtin.ping: }]}\n"
SEVERAL = 3
FLEETS = (5, 50)
FORKS = 20
MEGABYTE = 10**6


@dataclass
class Samples:
    """Seconds of wall clock and of the controller's CPU, one of each a run."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, wall: float, cpu: float) -> None:
        self.wall.append(wall)
        self.cpu.append(cpu)


def main() -> None:
    """Print the medians, their spread and their ratios."""
    parser = argparse.ArgumentParser(prog="slipway.lab.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how many new hosts each way")
    parser.add_argument("--peer", type=Path, help="the folder of another role to run on the converged hosts")
    parser.add_argument("--fleet", action="store_true", help="measure no-op runs of 5 and 50 hosts too")
    arguments = parser.parse_args()
    workbench = Workbench(make_ready(os.environ.get("LAB", "offline"), os.environ.get("LAB_PREFIX", "")))
    try:
        with tempfile.TemporaryDirectory() as folder:
            plays = {"site.yml": SITE, "yardstick": YARDSTICK, "report.yml": REPORT}
            if arguments.peer:
                plays["peer"] = _play_of(arguments.peer.resolve(), Path(folder))
            _measure_installs(workbench, arguments.rounds)
            converged, costs = _measure_no_ops(workbench, plays, arguments.rounds)
            if arguments.fleet:
                for name, points in _measure_fleets(workbench, plays, converged, Path(folder)).items():
                    costs[name] |= points
                PLOT.write_text(plot.draw(costs))
                say(f"Drawn: {PLOT}")
    finally:
        workbench.clear()


def _play_of(role: Path, folder: Path) -> Path:
    path = folder / "peer.yml"
    path.write_text(yaml.safe_dump([{"hosts": "docker_hosts", "become": True, "roles": [{"role": str(role)}]}]))
    return path


def _measure_installs(workbench: Workbench, rounds: int) -> None:
    samples = {"bare shell commands": Samples(), "site.yml": Samples()}
    for number in range(1, rounds + 1):
        say(f"Installation {number} of {rounds}")
        bare = workbench.make("bench-bare")
        start = time.monotonic()
        bare.sh(BARE)
        samples["bare shell commands"].add(time.monotonic() - start, 0)
        site = workbench.make("bench-site")
        samples["site.yml"].add(*_run(SITE, site.inventory))
    _print_installs(samples, workbench)


def _measure_no_ops(workbench: Workbench, plays: dict[str, Path], rounds: int) -> tuple[list[LabHost], plot.Series]:
    """Measure runs that change nothing, of one host and of several; return the hosts, and the CPU of a host."""
    login = {"username": "alice", "token": hub.credentials(workbench.lab)["alice"], "user": "alice"}
    variables = {"docker_access_members": ["alice"], "docker_registry_auth_logins": [login]}
    hosts = [workbench.make_converged(f"bench-{number}", docker_access_members=["alice"]) for number in range(SEVERAL)]
    inventories = {
        count: _inventory(workbench, [host.name for host in hosts[:count]], variables) for count in (1, SEVERAL)
    }
    for playbook in plays.values():
        _run(playbook, inventories[SEVERAL])  # the login is new to the hosts, and so may be what a peer wants
    samples = {(name, count): Samples() for name in plays for count in inventories}
    for number in range(1, rounds + 1):
        say(f"Run that changes nothing {number} of {rounds}")
        for (name, count), taken in samples.items():
            taken.add(*_run(plays[name], inventories[count]))
    _print_no_ops(samples, plays)
    costs: plot.Series = {name: {} for name in plays}
    for (name, count), taken in samples.items():
        costs[name][count] = statistics.median(taken.cpu) / count
    return hosts, costs


def _measure_fleets(workbench: Workbench, plays: dict[str, Path], hosts: list[LabHost], folder: Path) -> plot.Series:
    """Measure runs of more hosts than there are, each with several names; return the CPU of a host."""
    costs: plot.Series = {name: {} for name in plays}
    ping = folder / "ping.yml"
    ping.write_text(PING)
    table = Table("play", *(f"{count} hosts" for count in FLEETS), title=f"Controller by host, {FORKS} forks")
    for name, playbook in {"ping": ping, **plays}.items():
        cells = []
        for count in FLEETS:
            aliases = {f"fleet-{number}": hosts[number % len(hosts)].name for number in range(count)}
            path = _inventory(workbench, aliases, {})
            with Memory() as memory:
                _, cpu = _run(playbook, path, [f"--forks={FORKS}"])
            cells.append(f"{cpu / count:.2f} s CPU, {memory.peak / MEGABYTE / FORKS:.0f} MB a fork")
            if name in costs:
                costs[name][count] = cpu / count
        table.add_row(name, *cells)
    console.print(table)
    return costs


def _inventory(workbench: Workbench, names: Iterable[str], variables: dict[str, object]) -> Path:
    """Write the inventory of hosts, or of aliases of theirs, with variables; return its path."""
    names = dict(names) if isinstance(names, dict) else {name: name for name in names}
    path = LAB / "workbench" / f"bench-{len(names)}.yml"
    inventory.write(path, names, workbench.lab)
    known = yaml.safe_load(path.read_text())
    known["docker_hosts"]["hosts"] = {alias: {"ansible_host": name} for alias, name in names.items()}
    known["docker_hosts"]["vars"] |= {"slipway_report_path": str(LAB / "workbench/report"), **variables}
    path.write_text(yaml.safe_dump(known))
    return path


def _run(playbook: Path, path: Path, options: list[str] | None = None) -> tuple[float, float]:
    """Run a playbook; return the seconds of wall clock and of CPU."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ok(run_command(playbook, path, options))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, cpu


class Memory:
    """The most memory that the children of this process have had together, in bytes; shared pages count once."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            self.peak = max(self.peak, sum(map(_proportional_size, _descendants(os.getpid()))))


def _descendants(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid="], capture_output=True, text=True, check=False)
    children = [int(pid) for pid in listed.stdout.split()]
    return children + [pid for child in children for pid in _descendants(child)]


def _proportional_size(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def _print_installs(samples: dict[str, Samples], workbench: Workbench) -> None:
    bare = statistics.median(samples["bare shell commands"].wall)
    table = Table("fresh host", "wall clock", "times bare", title=f"Hosts: {workbench.lab.images.description}")
    for name, taken in samples.items():
        table.add_row(name, _told(taken.wall), f"{statistics.median(taken.wall) / bare:.2f}")
    console.print(table)


def _print_no_ops(samples: dict[tuple[str, int], Samples], plays: Iterable[str]) -> None:
    table = Table(
        "converged host",
        "wall clock",
        "CPU, one host",
        "of the yardstick",
        "CPU, each further host",
        "of the yardstick",
        title=f"Controller: {platform.machine()}, {os.cpu_count()} cores",
    )
    one = {name: statistics.median(samples[name, 1].cpu) for name in plays}
    further = {name: (statistics.median(samples[name, SEVERAL].cpu) - one[name]) / (SEVERAL - 1) for name in plays}
    for name in plays:
        table.add_row(
            name,
            _told(samples[name, 1].wall),
            _told(samples[name, 1].cpu),
            f"{one[name] / one['yardstick']:.2f}",
            f"{further[name]:.2f} s",
            f"{further[name] / further['yardstick']:.2f}",
        )
    console.print(table)


def _told(seconds: list[float]) -> str:
    """Return the median with its spread."""
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()
