# SPDX-License-Identifier: Apache-2.0
"""docker_engine_profile: hardened on a host: what it changes, what it refuses, and what an audit says of it.

The hosts are containers, whose kernel's audit is not theirs: rules are written and merged, and not loaded.
"""

import json
from typing import Any

import pytest

from slipway.lab import play
from slipway.lab.paths import PROJECT
from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench
from tests.lab.test_budget import MOST_MODULES, MOST_TASKS

HARDENED: dict[str, Any] = {"docker_engine_profile": "hardened"}
RULES = "/etc/audit/rules.d/50-slipway-docker.rules"
OPTIONS = {
    "default-ulimits": {"nofile": {"Hard": 524288, "Name": "nofile", "Soft": 1024}},
    "icc": False,
    "live-restore": True,
    "log-driver": "json-file",
    "log-opts": {"max-file": "3", "max-size": "10m"},
    "no-new-privileges": True,
    "userland-proxy": False,
    "userns-remap": "default",
}
CLAIMS = "test_hardened.py"
BASEOS = "https://download.docker.com/baseos"
ENABLE = (
    f"printf '[baseos]\nname=BaseOS\nbaseurl={BASEOS}\ngpgcheck=1\ngpgkey={BASEOS}/gpg\n' >/etc/yum.repos.d/baseos.repo"
)
LOAD = "docker load --quiet --input /usr/share/slipway/hello.tar >/dev/null"
RUN = "docker run --detach --entrypoint /bin/busybox"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A host that was hardened when its engine was installed."""
    host = workbench.make("test-profile")
    host.sh(ENABLE)
    rehearsal = ok(host.converge("--check", "--diff", **HARDENED))
    assert rehearsal.changed(host.name)
    assert host.run("test", "-e", "/etc/docker")[0] == 1, "check mode has changed the host"
    ok(host.converge(**HARDENED))
    return host


def options(host: LabHost) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.sh("cat /etc/docker/daemon.json"))
    return found


def test_a_new_host_is_hardened_in_one_run(host: LabHost) -> None:
    """Fault: SELinux is off and auditd does not run on a hardened host. Outcome: a warning for each, on every run, and
    everything else is done; the second run costs what one of the default profile costs.
    """
    assert options(host) == OPTIONS
    assert host.sh("rpm --query audit; augenrules --check").endswith("No change")
    assert host.sh("docker network inspect --format '{{json .Options}}' bridge").count('enable_icc":"false"') == 1
    pid = host.sh("systemctl show docker.service --property=MainPID")
    run = ok(host.converge(**HARDENED))
    assert run.changed(host.name) == []
    assert host.sh("systemctl show docker.service --property=MainPID") == pid
    assert len(run.module_invocations(host.name)) <= MOST_MODULES
    assert len(run.tasks(host.name)) <= MOST_TASKS
    said = " ".join(run.warnings(host.name))
    assert f"The rules of {RULES} are not in force, because auditd does not run" in said
    assert "selinux-enabled is left out: SELinux is disabled on this host" in said


def test_the_claims_hold_on_a_hardened_host_and_each_fails_where_it_is_broken(host: LabHost) -> None:
    verified = host.verify(CLAIMS, **HARDENED)
    assert verified.returncode == 0, verified.stdout
    assert "docker_engine_profile is not hardened" in host.verify(CLAIMS).stdout
    host.sh("chmod 666 /etc/docker/daemon.json; chgrp nogroup /etc/docker; gpasswd --add mallory docker")
    host.sh("sed -i '/dockerd/d' /etc/audit/audit.rules")
    try:
        broken = host.verify(CLAIMS, **HARDENED).stdout
        assert "4 failed" in broken, broken
        for item in ("1.1.2", "1.1.3", "3.5", "3.18"):
            assert f"-{item}] ___" in broken, broken
        run = ok(host.converge(**HARDENED))
        assert run.changed(host.name)
        assert host.sh("stat --format %U:%G:%a /etc/docker /etc/docker/daemon.json").split() == [
            "root:root:755",
            "root:root:644",
        ]
    finally:
        host.sh("gpasswd --delete mallory docker; augenrules")


def test_an_audit_prints_what_holds_and_what_does_not(host: LabHost) -> None:
    run = ok(play.run(PROJECT / "playbooks/audit.yml", host.inventory))
    lines = [line for _, result in run.results(host.name) for line in result.get("msg", ()) if line[:1].isdigit()]
    outcomes = {line.split()[0]: line[7:].partition("  ")[0].strip() for line in lines}
    assert len(lines) == len(outcomes) == 60
    wrong = {number for number, outcome in outcomes.items() if outcome == "does not hold"}
    assert wrong == {"2.12", "2.13"}, lines
    assert outcomes["2.9"] == "holds"
    assert run.changed(host.name) == []


@pytest.mark.slow
def test_each_item_can_be_overridden_and_the_way_back_is_whole(host: LabHost) -> None:
    given = {"userland-proxy": True, "icc": None, "default-ulimits": None}
    ok(
        host.converge(
            **HARDENED,
            docker_engine_daemon_options=given,
            docker_engine_audit_rules="absent",
            docker_engine_file_modes="unmanaged",
        )
    )
    kept = {name: value for name, value in OPTIONS.items() if name not in given}
    assert options(host) == {**kept, "userland-proxy": True}
    assert host.run("test", "-e", RULES)[0] == 1
    ok(host.converge(**HARDENED))
    assert host.run("test", "-e", RULES)[0] == 0
    ok(host.converge())
    assert set(options(host)) == {"live-restore", "log-driver", "log-opts"}
    assert host.run("test", "-e", RULES)[0] == 1
    assert host.sh("augenrules --check").endswith("No change")
    assert "docker" not in host.sh("cat /etc/audit/audit.rules")


def test_settings_that_contradict_the_profile_change_nothing(fresh_host: LabHost) -> None:
    """Fault: the profile is unknown, empty or a number, or beside an option that makes no sense with it. Outcome: one
    sentence; nothing is changed.
    """

    def with_options(**given: Any) -> dict[str, Any]:
        return {**HARDENED, "docker_engine_daemon_options": given}

    cases: dict[str, tuple[dict[str, Any], str]] = {
        "unknown": ({"docker_engine_profile": "paranoid"}, "must be one of: default, hardened, got: paranoid"),
        "number": ({"docker_engine_profile": 1}, "must be one of: default, hardened, got: 1"),
        "empty": ({"docker_engine_profile": None}, "docker_engine_profile"),
        "tcp": (with_options(hosts=["fd://", "tcp://0.0.0.0:2375"]), "only with client certificates"),
        "confirmed": (
            {**with_options(hosts=["fd://", "tcp://0.0.0.0:2375"]), "docker_engine_open_api_confirmed": True},
            "only with client certificates",
        ),
        "iptables": (with_options(iptables=False), "does not work with icc: false"),
        "store": ({**HARDENED, "docker_engine_image_store": "containerd"}, "does not work with userns-remap"),
    }
    refused = fresh_host.refusals("docker_engine", {name: variables for name, (variables, _) in cases.items()})
    for name, (_, words) in cases.items():
        assert words in refused[name], (name, refused[name])
    assert fresh_host.run("rpm", "--query", "docker-ce")[0] == 1


def test_a_host_whose_repositories_lack_audit_is_refused(fresh_host: LabHost) -> None:
    """Fault: no enabled repository has the package audit. Outcome: refused with the way out; nothing is changed."""
    failure = fresh_host.converge(**HARDENED).failure(fresh_host.name)
    assert "audit, which the rules of audit need, is neither installed nor in an enabled repository" in failure
    assert "docker_engine_audit_rules: absent" in failure
    assert fresh_host.run("test", "-e", "/etc/yum.repos.d/docker-ce.repo")[0] == 1


@pytest.mark.slow
def test_what_the_switch_would_break_is_named_before_anything_changes(workbench: Workbench) -> None:
    """Fault: `docker_engine_profile: hardened` beside images and running containers. Outcome: refused, with each
    container that mapped users would break; nothing changes. With `userns-remap: null`, they run on.
    """
    host = workbench.make_converged("test-profile-old")
    host.sh(ENABLE)
    host.sh(
        f"{LOAD}; {RUN} --name privileged --privileged slipway/hello sleep 600;"
        f"{RUN} --name network --network host slipway/hello sleep 600;"
        f"{RUN} --name processes --pid host slipway/hello sleep 600;"
        f"{RUN} --name mount --volume /srv:/srv slipway/hello sleep 600;"
        f"{RUN} --name plain slipway/hello sleep 600"
    )
    before = host.sh("cat /etc/docker/daemon.json; docker ps --quiet --no-trunc")
    failure = host.converge(**HARDENED).failure(host.name)
    for words in (
        "privileged (privileged)",
        "network (network of the host)",
        "processes (processes of the host)",
        "mount (writes to root's /srv)",
        "which the engine would no longer find after a change of userns-remap from unset to default",
        "set userns-remap: null in docker_engine_daemon_options to keep them",
        "nothing was changed",
    ):
        assert words in failure
    assert "plain" not in failure
    assert host.sh("cat /etc/docker/daemon.json; docker ps --quiet --no-trunc") == before
    assert host.run("rpm", "--query", "audit")[0] == 1

    run = ok(host.converge(**HARDENED, docker_engine_daemon_options={"userns-remap": None}))
    said = " ".join(run.warnings(host.name))
    assert "which share the default network, cannot reach each other" in said
    assert "cannot use programs such as sudo" in said
    assert "icc and userland-proxy take effect when the engine starts without running containers" in said
    assert host.sh("docker ps --quiet --no-trunc") in before
    icc = "docker network inspect --format '{{json .Options}}' bridge"
    assert 'enable_icc":"true"' in host.sh(icc)
    host.sh("docker stop --time 0 $(docker ps --quiet); systemctl restart docker.service")
    assert 'enable_icc":"false"' in host.sh(icc)


@pytest.mark.slow
def test_a_removal_takes_the_rules_along(host: LabHost) -> None:
    ok(host.converge(**HARDENED))
    assert host.run("test", "-e", RULES)[0] == 0
    ok(host.apply("docker_engine", **HARDENED, docker_engine_state="absent"))
    assert host.run("test", "-e", RULES)[0] == 1
    assert host.sh("find /etc/tmpfiles.d -name 'slipway*'") == ""
    assert "docker" not in host.sh("cat /etc/audit/audit.rules")
