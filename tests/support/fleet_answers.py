# SPDX-License-Identifier: Apache-2.0
"""Answers of a fleet: what the real collector said on a lab host (recorded_answers.json), with faults, scaled."""

import copy
import json
import random
from pathlib import Path
from typing import Any

from ansible_collections.slipway.platform.plugins.plugin_utils import report_model

RECORDED = Path(__file__).with_name("recorded_answers.json")
NOW = 1_796_000_000
LIMITS = {"certificate_days": 30, "disk_percent": 80, "image_days": 90, "open_ports": [443], "run_days": 0}
WANTED = {
    "access_exclusive": False,
    "access_members": ["alice"],
    "access_socket_group": "docker",
    "access_socket_group_shared": False,
    "access_socket_mode": "0660",
    "engine_package": "docker-ce",
    "engine_service_enabled": True,
    "engine_service_state": "started",
    "engine_state": "present",
    "engine_version": "",
}
SILENT = "It does not answer: Failed to connect to the host via ssh: connect to host db-3 port 22: Connection timed out"


def answers() -> dict[str, Any]:
    """Return the answers of a healthy host, with a last run an hour ago."""
    found: dict[str, Any] = json.loads(RECORDED.read_text())
    found["last_run"] = answer(NOW - 3600)
    found["logins"] = answer(None)
    found["run"] = answer(None)
    return found


def answer(facts: Any, error: str = "") -> dict[str, Any]:
    return {"facts": facts, "error": error, "seconds": 0.1}


def changed(facts: dict[str, Any], name: str, **values: Any) -> dict[str, Any]:
    """Return answers in which parts of one fact, or that of a first disk, differ."""
    found = copy.deepcopy(facts)
    target = found[name]["facts"]
    (target[0] if isinstance(target, list) else target).update(values)
    return found


def host(name: str = "web-1", facts: dict[str, Any] | None = None, reason: str = "", **wanted: Any) -> dict[str, Any]:
    """Return a host as report_model.build takes it."""
    return {
        "name": name,
        "groups": ["docker_hosts", name.rpartition("-")[0] or "web"],
        "reason": reason,
        "facts": answers() if facts is None and not reason else facts or {},
        "seconds": 1.2,
        "wanted": {**WANTED, **wanted},
        "fix": report_model.Fix(name, ["inventory/example"], "playbooks", "."),
    }


def faulty(facts: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the answers with one of several faults."""
    size = facts["disks"]["facts"][0]["bytes"]
    faults = (
        lambda: changed(facts, "disks", free=size // 25),
        lambda: changed(facts, "service", restart=["its program was replaced by an update"]),
        lambda: changed(facts, "drift", files=["/etc/docker/daemon.json"], options=["log-opts", "live-restore"]),
        lambda: changed(facts, "containers", unhealthy=["shop-api"], running=7),
        lambda: {**facts, "certificates": answer([{"path": "/etc/docker/tls/cert.pem", "days": 4}])},
        lambda: changed(facts, "service", state="failed", answers=False),
    )
    return faults[number % len(faults)]()


def worrying(facts: dict[str, Any], number: int) -> dict[str, Any]:
    size = facts["disks"]["facts"][0]["bytes"]
    worries = (
        lambda: {**facts, "newest": answer({"docker-ce": "99.1.0"})},
        lambda: changed(facts, "disks", free=size // 8),
        lambda: changed(facts, "reboot", updated=["glibc", "kernel-core"]),
        lambda: changed(
            facts, "containers", open_ports=[{"port": 5432, "protocol": "tcp", "container": "postgres"}], running=3
        ),
        lambda: {**facts, "images": answer(None, "the engine does not answer on /run/docker.sock")},
    )
    return worries[number % len(worries)]()


def fleet(size: int) -> list[dict[str, Any]]:
    """Return hosts of which about one in sixteen is red and one in eight yellow; the same each time."""
    chance = random.Random(size)
    hosts = []
    for number in range(size):
        name = f"{('web', 'db', 'build', 'edge')[number % 4]}-{number // 4 + 1}"
        facts = answers()
        facts["last_run"] = answer(NOW - chance.randrange(600, 900_000))
        facts = changed(facts, "disks", free=int(facts["disks"]["facts"][0]["bytes"] * chance.uniform(0.3, 0.9)))
        facts = changed(facts, "containers", running=chance.randrange(1, 30))
        facts["swarm"] = answer(
            {"state": "active", "role": "worker", "managers": 0, "reachable": 0, "error": ""}
            if number % 3
            else {"state": "inactive", "role": "", "managers": 0, "reachable": 0, "error": ""}
        )
        facts["certificates"] = answer([{"path": "/etc/docker/tls/cert.pem", "days": chance.randrange(40, 300)}])
        dice = chance.random()
        if dice < 1 / 16 or number == 5:
            facts = faulty(facts, number)
        elif dice < 3 / 16:
            facts = worrying(facts, number)
        silent = number == 9 or number % 97 == 96
        hosts.append(host(name, facts, SILENT.replace("db-3", name) if silent else ""))
    return hosts


def report(size: int, **options: Any) -> dict[str, Any]:
    """Return the report of a fleet, with a history."""
    chance = random.Random(1)
    history = [
        {
            "generated": report_model.stamp(NOW - 86400 * day),
            "hosts": size,
            "fail": chance.randrange(0, size // 10 + 2),
            "warn": chance.randrange(0, size // 6 + 2),
            "ok": size // 2,
            "silent": 0,
        }
        for day in range(29, 0, -1)
    ]
    origin = {"version": "0.1.0", "commit": "8c6066e1f0a4d3b2c5e69788a0b1c2d3e4f50617"}
    found: dict[str, Any] = report_model.build(fleet(size), LIMITS, origin, history, 2.1, NOW, **options)
    return found
