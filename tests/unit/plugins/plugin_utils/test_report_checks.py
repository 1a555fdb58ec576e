# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Each check: the answers of a healthy host, with one fault each."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import report_checks, report_model

from tests.support import fleet_answers as fleet

DAY = 86400
SITE = "ansible-playbook --inventory inventory/example playbooks/site.yml --limit web-1"


def cells(facts: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **wanted: Any) -> dict[str, Any]:
    report = report_model.build(
        [fleet.host("web-1", facts, "", **wanted)], {**fleet.LIMITS, **(limits or {})}, {}, now=fleet.NOW
    )
    found: dict[str, Any] = report["hosts"][0]["cells"]
    return found


def cell(name: str, facts: dict[str, Any], **wanted: Any) -> tuple[str, str, str, str]:
    """Return the cell of a check, after asserting that no other one has changed from that of a healthy host."""
    found, healthy = cells(facts, **wanted), cells()
    assert [other for other in found if found[other] != healthy[other]] in ([name], [])
    return tuple(found[name].values())


def facts(name: str, value: Any, error: str = "") -> dict[str, Any]:
    return {**fleet.answers(), name: fleet.answer(value, error)}


def changed(name: str, **values: Any) -> dict[str, Any]:
    return fleet.changed(fleet.answers(), name, **values)


def test_a_healthy_host_is_green_everywhere() -> None:
    assert {item["state"] for item in cells().values()} == {"ok", "none"}
    assert all(item["reason"] == item["command"] == "" for item in cells().values())


LOGIN = {"user": "alice", "registry": "ghcr.io", "verified": True, "changed": False, "ends": None}
FAULTS: dict[str, tuple[str, dict[str, Any], str, str, str]] = {
    "the engine is missing": (
        "engine",
        facts("packages", {"runc": "1"}),
        "fail",
        "is not installed; there is runc 1",
        SITE,
    ),
    "a newer engine": (
        "engine",
        facts("newest", {"docker-ce": "29.7.2"}),
        "warn",
        "29.7.2 is available",
        "upgrade.yml",
    ),
    "the service failed": ("service", changed("service", state="failed"), "fail", "is failed, not started", SITE),
    "masked": (
        "service",
        changed("service", masked=["docker.socket"]),
        "fail",
        "is masked",
        "systemctl unmask docker.socket",
    ),
    "silent": ("service", changed("service", answers=False), "fail", "API does not answer", "systemctl restart"),
    "disabled": ("service", changed("service", enabled="disabled"), "warn", "is disabled, not enabled", SITE),
    "a restart": ("restart", changed("service", restart=["why"]), "fail", "must restart: why", SITE),
    "a reboot": (
        "reboot",
        changed("reboot", updated=["glibc"]),
        "warn",
        "Updated since the host was booted: glibc",
        "reboot",
    ),
    "drift": (
        "configuration",
        changed("drift", files=["/a"], options=["x"]),
        "fail",
        "change /a. Options that differ: x",
        SITE,
    ),
    "the socket's group": ("socket", changed("socket", group="wheel"), "fail", "its group is wheel, not docker", SITE),
    "the socket's mode": ("socket", changed("socket", mode="0666"), "fail", "its mode is 0666, not 0660", SITE),
    "an access list": ("socket", changed("socket", acl=True), "fail", "has an access control list", SITE),
    "no socket": ("socket", facts("socket", None), "fail", "does not exist", SITE),
    "a directory": ("socket", changed("socket", is_socket=False), "fail", "is not a socket", SITE),
    "a member too few": (
        "members",
        changed("members", members=[]),
        "fail",
        "alice should be able to use the engine",
        SITE,
    ),
    "a member too many": (
        "members",
        changed("members", members=["alice", "eve"]),
        "warn",
        "eve can use",
        "gpasswd --delete eve",
    ),
    "a password": ("members", changed("members", password=True), "fail", "has a password", SITE),
    "no group": ("members", facts("members", None), "fail", "group docker does not exist", SITE),
    "a token that ends": (
        "logins",
        facts("logins", {"logins": [LOGIN, {**LOGIN, "ends": fleet.NOW + 3 * DAY}]}),
        "warn",
        "The token of alice at ghcr.io ends in 3 days",
        SITE,
    ),
    "a token that has ended": (
        "logins",
        facts("logins", {"logins": [{**LOGIN, "ends": fleet.NOW - 2 * DAY}]}),
        "fail",
        "ended 2 days ago",
        SITE,
    ),
    "a refused login": ("logins", facts("logins", {"msg": "Login of alice: revoked"}), "fail", "revoked", SITE),
    "a certificate ends": (
        "certificates",
        facts("certificates", [{"path": "/c", "days": 20}]),
        "warn",
        "/c ends in 20",
        SITE,
    ),
    "a certificate ends now": (
        "certificates",
        facts("certificates", [{"path": "/c", "days": 6}]),
        "fail",
        "in 6 days",
        SITE,
    ),
    "a certificate ended": (
        "certificates",
        facts("certificates", [{"path": "/c", "days": -3}]),
        "fail",
        "ended 3 days ago",
        SITE,
    ),
    "an unreadable one": (
        "certificates",
        facts("certificates", [{"path": "/c", "days": None}]),
        "warn",
        "can be read from /c",
        "",
    ),
    "a full disk": (
        "disk",
        changed("disks", free=10**9),
        "fail",
        "/ is 99 % full (0.9 GiB left)",
        "docker image prune",
    ),
    "a fuller disk": ("disk", changed("disks", free=15 * 10**9), "warn", "/ is 85 % full", "docker image prune"),
    "no inodes": ("disk", changed("disks", free_inodes=60), "fail", "60 inodes left", "docker image prune"),
    "unhealthy": (
        "containers",
        changed("containers", unhealthy=["a", "b"]),
        "fail",
        "a, b are unhealthy",
        "--tail 50 a",
    ),
    "a file too open": (
        "hardening",
        facts("hardening", {"loose": ["/etc/docker"], "unaudited": ["why"], "audit_runs": True}),
        "fail",
        "more is allowed than the profile grants on /etc/docker; why",
        SITE,
    ),
    "audit does not run": (
        "hardening",
        facts("hardening", {"loose": [], "unaudited": [], "audit_runs": False}),
        "warn",
        "auditd does not run",
        "systemctl enable --now auditd",
    ),
    "a service of a project": (
        "services",
        facts("services", {"count": 2, "up": 1, "failing": [{"name": "shop/db", "trouble": "is unhealthy"}]}),
        "fail",
        "Services: shop/db is unhealthy.",
        "docker compose --project-name shop logs --tail 50 db",
    ),
    "a service whose name is an option": (
        "services",
        facts("services", {"count": 1, "up": 0, "failing": [{"name": "a --file b/c", "trouble": "is dead"}]}),
        "fail",
        "a --file b/c is dead",
        "",
    ),
    "a service of the swarm": (
        "services",
        facts("services", {"count": 1, "up": 0, "failing": [{"name": "api", "trouble": "runs 0 of 1 tasks"}]}),
        "fail",
        "api runs 0 of 1 tasks",
        "docker service ps --no-trunc api",
    ),
    "an open port": (
        "ports",
        changed("containers", open_ports=[{"port": 5432, "protocol": "tcp", "container": "db"}]),
        "warn",
        "5432/tcp of db",
        "docker port db",
    ),
    "an old image": (
        "images",
        changed("images", used=[{"name": "old", "created": fleet.NOW - 200 * DAY}]),
        "warn",
        "old runs and is 200 days old",
        SITE,
    ),
    "a stale base": (
        "images",
        changed("images", bases=[{"image": "i", "base": "b", "digest": "x"}], digests={"b": "y"}),
        "warn",
        "i (on b)",
        SITE,
    ),
    "no quorum": (
        "swarm",
        changed("swarm", state="active", role="manager", managers=3, reachable=1),
        "fail",
        "1 of 3 managers are reachable, which is no quorum",
        "docker node ls",
    ),
    "managers that do not answer": (
        "swarm",
        changed("swarm", state="active", role="manager", managers=0, reachable=0, error="no leader"),
        "fail",
        "do not answer, as without a quorum: no leader.",
        "docker info",
    ),
    "a lost manager": (
        "swarm",
        changed("swarm", state="active", role="manager", managers=3, reachable=2),
        "warn",
        "2 of 3",
        "node",
    ),
    "a swarm's error": ("swarm", changed("swarm", state="locked"), "fail", "is locked", "docker info"),
    "never run": ("last_run", facts("last_run", None), "warn", "No run of site.yml", SITE),
    "a failed run": (
        "last_run",
        facts("run", {"at": fleet.NOW - 60, "commit": "abcdef0123", "playbook": "site.yml", "result": "failed"}),
        "fail",
        "The last run of site.yml failed",
        SITE,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_the_command_that_repairs_it(fault: str) -> None:
    name, answers, state, reason, command = FAULTS[fault]
    found = cell(name, answers)
    assert found[0] == state
    assert reason in found[2]
    assert command in found[3]
    assert bool(found[3]) == bool(command)


def test_the_wanted_version_may_be_a_prefix() -> None:
    assert cell("engine", fleet.answers(), engine_version="26.1")[0] == "ok"
    found = cell("engine", fleet.answers(), engine_version="29.7")
    assert found[:3] == ("fail", "26.1.5", "docker-ce 26.1.5 is installed, and 29.7 is wanted.")


def test_a_disk_without_images_is_looked_at_not_pruned() -> None:
    found = cell("disk", changed("disks", free=10**9, path="/boot", engine=False))
    assert found[3].endswith("--args 'du --one-file-system --human-readable --max-depth 2 /boot' web-1")


def test_thresholds_are_the_user_s() -> None:
    port = changed("containers", open_ports=[{"port": 5432, "protocol": "tcp", "container": "db"}])
    assert cells(port, {"open_ports": [5432]})["ports"]["state"] == "ok"
    assert cells(changed("disks", free=15 * 10**9), {"disk_percent": 90})["disk"]["state"] == "ok"
    assert cells(None, {"run_days": 1})["last_run"]["state"] == "ok"
    assert cells(facts("last_run", fleet.NOW - 5 * DAY), {"run_days": 5})["last_run"]["state"] == "warn"


def test_extra_members_of_an_exclusive_group_are_red() -> None:
    answers = changed("members", members=["alice", "eve"])
    assert cell("members", answers, access_exclusive=True)[0] == "fail"
    assert cell("members", answers, access_socket_group_shared=True)[0] == "ok"


def test_an_engine_that_is_to_be_absent_has_no_faults_but_itself() -> None:
    found = cells(None, None, engine_state="absent")
    assert found["engine"]["reason"] == "docker-ce 26.1.5 is installed, and none is wanted."
    gone = cells(facts("packages", {}), None, engine_state="absent")
    assert gone["engine"]["state"] == gone["service"]["state"] == gone["socket"]["state"] == "none"


@pytest.mark.parametrize("check", report_checks.CHECKS, ids=lambda check: str(check.id))
def test_a_fact_that_is_missing_is_unknown_and_says_why(check: Any) -> None:
    for name in check.needs:
        found = cells(facts(name, None, "rpm did not answer within 15 seconds"))[check.id]
        assert found["state"] == "unknown"
        assert found["reason"] == "It could not be told: rpm did not answer within 15 seconds."


@pytest.mark.parametrize("nonsense", [None, 7, "text", [], [1], {}, {"restart": 1}, [{"days": "x"}], [{}], True])
@pytest.mark.parametrize("check", report_checks.CHECKS, ids=lambda check: str(check.id))
def test_a_check_that_crashes_is_a_cell_with_the_reason(check: Any, nonsense: Any) -> None:
    answers = fleet.answers()
    for name in (*check.needs, "last_run", "run"):
        answers[name] = fleet.answer(nonsense)
    found = cells(answers)
    assert len(found) == len(report_checks.CHECKS)
    if "failed unexpectedly" in found[check.id]["reason"]:
        assert found[check.id]["state"] == "unknown"
        assert f"The check {check.id} failed unexpectedly" in found[check.id]["reason"]


@pytest.mark.parametrize("name", ["{{ lookup('pipe', 'id') }}", "a;id", "$(id)", "a'b", "{% x %}"])
def test_what_a_host_says_does_not_become_a_command_that_the_controller_evaluates(name: str) -> None:
    assert cells(changed("containers", unhealthy=[name]))["containers"]["command"] == ""
    assert cells(changed("members", members=["alice", name]))["members"]["command"] == ""
    assert cells(facts("newest", {"docker-ce": "99" + name}))["engine"]["command"] == ""


@pytest.mark.parametrize("version", ["99 ansible_connection=local", "99\tx=y", "99=1", "-99", "{{ 99 }}", "99/../x"])
def test_a_version_of_a_host_sets_no_other_variable_in_the_command(version: str) -> None:
    """Whoever holds the host would choose where and how the controller runs the upgrade."""
    assert cells(facts("newest", {"docker-ce": version}))["engine"]["command"] == ""
    assert report_model.Fix("web-1").upgrade(version) == ""


def test_a_system_of_another_form_is_not_shown() -> None:
    built = report_model.build([fleet.host("web-1", facts("system", "text"))], fleet.LIMITS, {}, now=fleet.NOW)
    assert built["hosts"][0]["distribution"] == ""
