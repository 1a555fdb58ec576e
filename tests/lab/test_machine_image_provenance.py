# SPDX-License-Identifier: Apache-2.0
"""A host tells what it is made of, and by what; two manifests tell of an upgrade between them."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.lab.play import Run
from slipway.lab.workbench import LabHost, Workbench

PROGRAM = str(Path(sys.prefix) / "bin/slipway-machine-image-diff")
# Python as in a chroot in which nothing is mounted.
WITHOUT_PROC = r"""#!/bin/sh
exec unshare --mount sh -ec 'umount --lazy /proc; ! test -e /proc/self; exec /usr/bin/python3 "$@"' sh "$@"
"""
RELEASE = "/etc/slipway-release"
WRITTEN = [
    "slipway.platform.machine_image_provenance : Manifest | Write the manifest on the controller",
    "slipway.platform.machine_image_provenance : Release | Write the release file",
]


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-image-provenance", docker_engine_version="20.10")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the manifest of the host as it was first goes."""
    return tmp_path_factory.mktemp("provenance") / "images/before.json"


def provenance(host: LabHost, path: Path, *options: str) -> Run:
    role = {"name": "Provenance", "ansible.builtin.include_role": {"name": "slipway.platform.machine_image_provenance"}}
    run = host.play(role, options=options, variables={"machine_image_provenance_manifest": str(path)})
    assert run.status == 0, run.output
    return run


def manifest(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@pytest.mark.slow
def test_a_dry_run_predicts_both_files_and_writes_neither(host: LabHost, before: Path) -> None:
    predicted = provenance(host, before, "--check", "--diff")
    assert predicted.changed(host.name) == WRITTEN
    assert "SLIPWAY_ENGINE_VERSION" in predicted.output
    assert not before.exists()
    assert host.run("ls", RELEASE)[0] == 2


def test_a_host_tells_what_it_is_made_of_once(host: LabHost, before: Path) -> None:
    assert provenance(host, before).changed(host.name) == WRITTEN
    told = sorted(
        "{name}-{version}-{release}.{arch}".format(**package).removesuffix(".")
        for package in manifest(before)["packages"]
    )
    assert told == sorted(host.sh("rpm --query --all").splitlines())
    sourced = host.sh(f'. {RELEASE}; . /etc/os-release; echo "$SLIPWAY_ENGINE_VERSION $SLIPWAY_TIME $ID"').split()
    wanted = manifest(before)
    assert sourced == ["20.10.24", wanted["release"]["SLIPWAY_TIME"], wanted["os"]["id"]]
    assert provenance(host, before).changed(host.name) == []
    assert provenance(host, before, "--check").changed(host.name) == []


def test_the_key_is_the_one_that_signed_the_package(host: LabHost, before: Path) -> None:
    (engine,) = [package for package in manifest(before)["packages"] if package["name"] == "docker-ce"]
    assert f"Key ID {engine['key']}" in host.sh("rpm --query --info docker-ce")


def test_packages_are_listed_without_proc(host: LabHost, before: Path) -> None:
    host.sh(f"printf %s {shlex.quote(WITHOUT_PROC)} > /opt/python && chmod 755 /opt/python")
    versions = {"collection_version": "0", "ansible_core_version": "0"}
    listing = {"name": "List", "slipway.platform.machine_image_manifest": versions}
    run = host.play(listing, variables={"ansible_python_interpreter": "/opt/python"})
    (told,) = [result["manifest"] for name, result in run.results(host.name) if name == "List"]
    assert told["packages"] == manifest(before)["packages"]


@pytest.mark.slow
def test_an_upgrade_of_the_engine_is_told(host: LabHost, before: Path) -> None:
    provenance(host, before)
    after = before.with_name("after.json")
    upgraded = host.converge(docker_engine_version="26.1")
    assert upgraded.status == 0, upgraded.output
    provenance(host, after)
    done = subprocess.run([PROGRAM, before, after], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    rows = [[cell.strip() for cell in line.split("│")] for line in done.stdout.splitlines()]
    assert ["upgraded", "docker-ce.x86_64", "3:20.10.24-1.el9", "3:26.1.5-1.el9"] in [row[1:5] for row in rows]
    assert ["changed", "SLIPWAY_ENGINE_VERSION", "20.10.24", "26.1.5"] in [row[1:5] for row in rows]
