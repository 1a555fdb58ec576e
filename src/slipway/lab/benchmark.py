# SPDX-License-Identifier: Apache-2.0
"""Times Ansible against the bare shell commands that do the same install, alternating, on new hosts.

docker_engine alone does what the bare commands do, and proves it; site.yml has access and credentials too.
"""

import argparse
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable

from rich.table import Table

from slipway.lab.play import Run
from slipway.lab.progress import console, say
from slipway.lab.workbench import LabHost, Workbench

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
ENGINE_ALONE = ("--tags=docker_engine",)
KIBIBYTES_PER_MEBIBYTE = 1024


def main() -> None:
    """Print the medians, their ratios to the bare install, and the controller's memory."""
    parser = argparse.ArgumentParser(prog="slipway.lab.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how many new hosts each way")
    rounds = parser.parse_args().rounds
    workbench = Workbench(os.environ.get("LAB", "offline"))
    seconds: dict[str, list[float]] = {}
    try:
        for number in range(1, rounds + 1):
            say(f"Round {number} of {rounds}")
            _take(seconds, "bare install", _install_bare, workbench.make("bench-bare"))
            engine = workbench.make("bench-engine")
            _take(seconds, "docker_engine, fresh", _converge_engine, engine)
            _take(seconds, "docker_engine, no-op", _converge_engine, engine)
            site = workbench.make("bench-site")
            _take(seconds, "site.yml, fresh", _converge_site, site)
            _take(seconds, "site.yml, no-op", _converge_site, site)
    finally:
        workbench.clear()
    _print(seconds, workbench.images.description)


def _install_bare(host: LabHost) -> None:
    host.sh(BARE)


def _converge_engine(host: LabHost) -> None:
    _require(host.converge(*ENGINE_ALONE))


def _converge_site(host: LabHost) -> None:
    _require(host.converge())


def _require(run: Run) -> None:
    if run.status:
        raise SystemExit(run.output)


def _take(seconds: dict[str, list[float]], what: str, action: Callable[[LabHost], None], host: LabHost) -> None:
    start = time.monotonic()
    action(host)
    seconds.setdefault(what, []).append(time.monotonic() - start)


def _print(seconds: dict[str, list[float]], host: str) -> None:
    bare = statistics.median(seconds["bare install"])
    table = Table("what", "median", "of", "times bare", title=f"Hosts: {host}; controller: {platform.machine()}")
    for what, times in seconds.items():
        median = statistics.median(times)
        each = ", ".join(f"{value:.2f}" for value in times)
        table.add_row(what, f"{median:.2f} s", each, f"{median / bare:.2f}")
    console.print(table)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / KIBIBYTES_PER_MEBIBYTE
    console.print(f"Largest process of the controller: {largest:.0f} MiB")


if __name__ == "__main__":
    main()
