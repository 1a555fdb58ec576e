# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the baked folder, temporary copies of it, and functions to repeat the bake and the check."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.lab import machine_root, play
from slipway.lab.paths import LAB, PROJECT


@pytest.fixture(scope="module", autouse=True)
def reach_the_lab() -> None:
    """Do nothing: this scenario uses no lab host."""


@pytest.fixture(scope="session")
def root() -> Path:
    return LAB / "bake/disk/machine"


@pytest.fixture(scope="session")
def inventory() -> Path:
    return LAB / "molecule/bake"


@pytest.fixture(scope="session")
def canary() -> str:
    """The canary in the environment of the bake, which is also used as a registry token."""
    return os.environ["BAKE_TOKEN"]


@pytest.fixture(scope="module")
def copy(root: Path) -> Iterator[Callable[[str], Path]]:
    """Copy the folder under a name, beside its disk."""
    made = []

    def make(name: str) -> Path:
        made.append(LAB / "bake" / name)
        machine_root.remove(made[-1])  # left by a killed run
        subprocess.run(["cp", "--archive", "--reflink=auto", root, made[-1]], check=True)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def bake_playbook() -> Path:
    return PROJECT / "playbooks/bake.yml"


@pytest.fixture(scope="session")
def seal(bake_playbook: Path) -> Callable[[Path], play.Run]:
    """Run the last role of the bake alone on the hosts of an inventory: what the others do is the same again."""

    def run(hosts: Path) -> play.Run:
        return play.run(bake_playbook, hosts, options=["--tags=machine_image_seal"])

    return run


@pytest.fixture(scope="session")
def check(canary: str) -> Callable[[Path], tuple[int, list[str]]]:
    """Run the checker; return its exit status and the lines of its output."""

    def run(path: Path) -> tuple[int, list[str]]:
        command = ["slipway-machine-image-check", "--canary-file=-", str(path)]
        done = subprocess.run(command, input=canary, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    return run
