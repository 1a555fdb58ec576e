# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""playbooks/report.yml on this machine: what bad input gets. tests/lab/test_report.py asks real hosts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.unanswered import GONE

pytestmark = pytest.mark.program

PROJECT = Path(__file__).parents[4]
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}


def report(folder: Path, hosts: dict[str, Any], *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"docker_hosts": {"hosts": hosts}}))
    given = {"slipway_report_path": str(folder / "report"), "slipway_report_seconds": 5, **variables}
    command = ["ansible-playbook", f"--inventory={inventory}", f"--extra-vars={json.dumps(given)}", *options]
    return subprocess.run(
        [*command, PROJECT / "playbooks/report.yml"],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def words(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stdout.replace('"', " ").split())


def rows(folder: Path) -> dict[str, Any]:
    return {row["name"]: row for row in json.loads((folder / "report/report.json").read_text())["hosts"]}


def test_an_inventory_without_hosts_is_one_sentence(tmp_path: Path) -> None:
    done = report(tmp_path, {})
    assert done.returncode != 0
    assert "has no host in the group docker_hosts, so there is nothing to report" in words(done)
    assert not (tmp_path / "report").exists()


def test_hosts_that_cannot_be_asked_are_rows_with_the_reason(tmp_path: Path) -> None:
    """Fault: a host is gone, one's settings are broken. Outcome: each is a row, and the others are reported."""
    hosts = {
        "here": HERE,
        "gone": GONE,
        "unset": {**HERE, "docker_access_members": "{{ nothing }}"},
        "broken": {**HERE, "docker_engine_daemon_options": "[1"},
        "web <b>": HERE,
    }
    done = report(tmp_path, hosts)
    assert done.returncode == 0, done.stdout
    found = rows(tmp_path)
    assert found["here"]["answered"]
    assert found["web <b>"]["answered"]
    assert found["gone"]["reason"].startswith("It does not answer: ")
    assert "nothing" in found["unset"]["reason"]
    assert "docker_engine_daemon_options cannot be used" in found["broken"]["reason"]
    assert "5 of 5 hosts need you" in words(done)
    assert "changed=0" in done.stdout
    assert "failed=0" in done.stdout


@pytest.mark.parametrize(("fail_on", "status"), [("never", 0), ("red", 2), ("yellow", 2)])
def test_the_report_is_written_before_the_run_fails(tmp_path: Path, fail_on: str, status: int) -> None:
    done = report(tmp_path, {"gone": GONE}, slipway_report_fail_on=fail_on)
    assert done.returncode == status, done.stdout
    assert "1 of 1 host needs you" in words(done)
    assert (tmp_path / "report/index.html").is_file()


def test_a_path_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    done = report(tmp_path, {"here": HERE})
    assert done.returncode != 0
    assert "cannot be made a folder" in words(done)
    assert "Traceback" not in done.stdout + done.stderr
    assert (tmp_path / "report").read_text() == "mine"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = report(tmp_path, {"here": HERE}, "--check")
    assert done.returncode == 0, done.stdout
    assert "The report would be written to" in words(done)
    assert not (tmp_path / "report").exists()


def test_an_earlier_report_of_another_schema_is_said(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report/report.json").write_text('{"schema": 9}')
    done = report(tmp_path, {"here": HERE})
    assert done.returncode == 0, done.stdout
    assert "has schema 9, and this report has 1" in words(done)
    assert [path.read_text() for path in (tmp_path / "report/runs").glob("before-*/report.json")] == ['{"schema": 9}']
