# SPDX-License-Identifier: Apache-2.0
"""The report of a host with faults, which are injected for real, beside one that does not answer and one that hangs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.lab import hub, play
from slipway.lab.paths import PROJECT
from slipway.lab.play import Run
from slipway.lab.workbench import LabHost, Workbench
from tests.support.certificates import certificate_for
from tests.support.unanswered import GONE

SECRET = "wr0ng-t0ken"
MEMBERS = ["alice", "bob"]
REPORT = PROJECT / "playbooks/report.yml"
SLEEPER = (
    "docker load --quiet --input /usr/share/slipway/hello.tar >/dev/null; docker run --detach --name sick "
    "--publish 8080:80 --health-cmd /nothing --health-interval 1s --health-retries 1 slipway/hello sleep 600"
)
UNTIL_UNHEALTHY = "timeout 30 sh -c 'until docker ps --filter health=unhealthy --quiet | grep -q .; do sleep 0.2; done'"
STATE = (
    "find /etc /var/lib/slipway /run/slipway -newer /etc/before 2>/dev/null | sort; "
    "systemctl show docker.service --property=MainPID"
)
CERTIFICATES = "/etc/docker/certs.d/registry.example.com"
# Each is injected by its command; then its check has a reason with these words.
FAULTS = {
    "configuration": (
        f"""sed -i 's,"live-restore": true,"registry-mirrors": ["https://{SECRET}@m"],' /etc/docker/daemon.json""",
        "site.yml would change /etc/docker/daemon.json. Options that differ: live-restore, registry-mirrors.",
    ),
    "socket": ("chmod 0666 /run/docker.sock", "/run/docker.sock: its mode is 0666, not 0660."),
    "members": ("gpasswd --add games docker", "games can use the engine, and docker_access_members does not say so."),
    "service": ("systemctl disable docker.service 2>/dev/null", "docker.service is disabled, not enabled."),
    "restart": (
        "cd /etc/systemd/system; mkdir -p docker.service.d; "
        "printf '[Service]\\nLimitCORE=1\\n' > docker.service.d/hand.conf",
        "The engine must restart: its unit files changed after systemd read them.",
    ),
    "disk": (
        "mkdir -p /boot; mount -t tmpfs -o size=1m tmpfs /boot; head -c 1020000 /dev/zero > /boot/filler",
        "/boot is 9",
    ),
    "containers": (SLEEPER, "sick is unhealthy."),
    "services": (
        "docker run --name shop-web-1 --label com.docker.compose.project=shop --label com.docker.compose.service=web "
        "slipway/hello /nothing 2>/dev/null || :",
        "Services: shop/web is created.",
    ),
    "hardening": ("chmod 0666 /etc/docker/daemon.json", "/etc/docker/daemon.json."),
    "ports": ("true", "Open to all addresses of the host: 8080/tcp of sick."),
    "certificates": (
        f"test -s {CERTIFICATES}/ca.crt",
        f"{CERTIFICATES}/ca.crt ends in 3 days: replace it.",
    ),
    "engine": ("true", "docker-ce {version} is installed, and 99.1 is wanted."),
    "logins": ("true", "rejected the credentials"),
}


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-report", docker_access_members=MEMBERS)


def report(host: LabHost, folder: Path, others: dict[str, Any] | None = None, **variables: Any) -> Run:
    """Run the playbook for the host, and for other ones beside it."""
    known = yaml.safe_load(host.inventory.read_text())
    known["docker_hosts"]["hosts"].update(others or {})
    inventory = host.inventory.with_name("report.yml")
    inventory.touch(mode=0o600)  # it holds the lab's passwords
    inventory.write_text(yaml.safe_dump(known))
    return play.run(REPORT, inventory, {"slipway_report_path": str(folder), **variables})


def cells(folder: Path, name: str) -> dict[str, dict[str, str]]:
    found = json.loads((folder / "report.json").read_text())
    row: dict[str, Any] = next(row for row in found["hosts"] if row["name"] == name)
    cells: dict[str, dict[str, str]] = row["cells"]
    return cells


def login(workbench: Workbench, **values: Any) -> list[dict[str, Any]]:
    return [{"username": "alice", "user": "alice", "token": hub.credentials(workbench.lab)["alice"], **values}]


def test_a_converged_host_is_good_and_stays_as_it_is(host: LabHost, workbench: Workbench, tmp_path: Path) -> None:
    logins: dict[str, Any] = {"docker_registry_auth_logins": login(workbench), "docker_access_members": MEMBERS}
    assert host.converge(**logins).status == 0
    host.sh("touch /etc/before")
    before = host.sh(STATE)
    run = report(host, tmp_path / "report", slipway_report_fail_on="red", slipway_report_disk_percent=100, **logins)
    assert run.status == 0, run.output
    assert host.sh(STATE) == before
    found = cells(tmp_path / "report", host.name)
    assert {name: cell["reason"] for name, cell in found.items() if cell["state"] in ("fail", "unknown")} == {}
    assert found["logins"]["value"] == "1 verified"
    for name in ("index.html", "junit.xml", "report.json"):
        assert logins["docker_registry_auth_logins"][0]["token"] not in (tmp_path / "report" / name).read_text()
    tasks = run.module_invocations(host.name)
    assert len(tasks) == 3, tasks  # the facts, the logins, and the pages on the controller


def test_each_fault_is_found_and_named(host: LabHost, workbench: Workbench, tmp_path: Path) -> None:
    """Fault: hosts drift, fill up, hang or are gone. Outcome: the report names each fault with what repairs it."""
    version = host.sh("rpm --query --queryformat '%{VERSION}' docker-ce")
    host.sh(f"mkdir -p {CERTIFICATES}; cat > {CERTIFICATES}/ca.crt <<'E'\n{certificate_for(3)}E\n")
    host.sh("printf '#!/bin/sh\\nexec sleep 90\\n' > /usr/local/bin/hangs; chmod 0755 /usr/local/bin/hangs")
    for command, _ in FAULTS.values():
        host.sh(command)
    host.sh(UNTIL_UNHEALTHY)
    others = {
        "gone": GONE,
        "hangs": {
            "ansible_docker_host": host.name,
            "ansible_host": host.name,
            "ansible_python_interpreter": "/usr/local/bin/hangs",
        },
    }
    run = report(
        host,
        tmp_path,
        others,
        slipway_report_fail_on="red",
        slipway_report_seconds=5,
        docker_engine_version="99.1",
        docker_engine_file_modes="strict",
        docker_access_members=MEMBERS,
        docker_registry_auth_logins=login(workbench, token=SECRET),
    )
    assert run.status != 0
    assert "3 of 3 hosts need you" in run.output
    found = cells(tmp_path, host.name)
    for name, (_, reason) in FAULTS.items():
        assert reason.format(version=version) in found[name]["reason"], (name, found[name])
        assert found[name]["command"], name
    assert {found[name]["state"] for name in ("members", "ports", "service")} == {"warn"}
    assert {found[name]["state"] for name in set(FAULTS) - {"members", "ports", "service"}} == {"fail"}
    rows = {row["name"]: row for row in json.loads((tmp_path / "report.json").read_text())["hosts"]}
    # On a busy machine Ansible writes to an ssh that is ending, and names the host instead of ssh's reason.
    assert re.match("It does not answer: .*(127.0.0.1|gone)", rows["gone"]["reason"]), rows["gone"]
    assert rows["hangs"]["reason"] == "It does not answer: it was given up after 15 seconds."
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET not in path.read_text()
