# SPDX-License-Identifier: Apache-2.0
"""One variable moves the engine up and down, and between two runs nothing else does."""

import json
import re
import shlex
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import versions

from slipway.lab.workbench import LabHost, Workbench

pytestmark = pytest.mark.slow
REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
ENGINE = "rpm --query --queryformat '%{VERSION} ' docker-ce docker-ce-cli docker-ce-rootless-extras"
UPDATE = "dnf --assumeyes --quiet update"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A host whose engine every test leaves at 20.10 with a running container, and the pin with it."""
    host = workbench.make("test-versions")
    pin(host, "20.10")
    host.sh(
        "docker load --quiet --input /usr/share/slipway/hello.tar;"
        "docker run --detach --name survivor slipway/hello sleep 3600"
    )
    return host


def pin(host: LabHost, version: str) -> list[str]:
    """Converge with the pin; return the names of the tasks that changed something."""
    run = host.converge(docker_engine_version=version)
    assert run.status == 0, run.output
    return run.changed(host.name)


def survivor(host: LabHost) -> str:
    """Return what differs once the container was stopped, as the engine that runs now sees it."""
    return host.sh("docker inspect --format '{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}}' survivor")


def running_engine(host: LabHost) -> str:
    return host.sh("docker version --format '{{.Server.Version}}'").partition("+")[0]


def test_a_plain_update_leaves_a_pinned_engine(host: LabHost) -> None:
    """Fault: a plain `dnf update` on a host with a pinned engine. Outcome: the engine stays within the pin."""
    host.sh(UPDATE)
    assert host.sh(ENGINE).split() == ["20.10.24"] * 3
    assert host.sh("dnf --quiet --setopt=*.includepkgs= list --available docker-ce").count("26.1.5") == 1


def test_a_pin_takes_no_other_package_away(host: LabHost) -> None:
    available = host.sh("dnf --quiet repoquery --qf '%{name}' --repo docker-ce-stable").split()
    assert {"containerd.io", "docker-buildx-plugin", "docker-compose-plugin"} <= set(available)


def test_a_repository_of_the_user_s_own_is_left_alone_with_a_word_on_the_pin(host: LabHost) -> None:
    unmanaged = {"state": "unmanaged", "version": "20.10"}
    (task,) = [
        result for _, result in host.play({"slipway.platform.docker_package_repository": unmanaged}).results(host.name)
    ]
    assert not task["changed"]
    assert "20.10 does not survive a plain dnf update" in " ".join(task["warnings"])
    assert "includepkgs=docker-ce-20.10-*" in " ".join(task["warnings"])


def test_the_hold_goes_with_the_pin(host: LabHost) -> None:
    """Fault: the pin is removed from the inventory. Outcome: the engine can move again."""
    changed = pin(host, "")
    assert len(changed) == 1, changed
    assert "Repository |" in changed[0]
    assert "includepkgs" not in host.sh(f"cat {REPOSITORY}")
    status, offered = host.run("dnf", "--quiet", "check-update", "docker-ce")
    assert (status, "26.1.5" in offered) == (100, True)
    assert host.sh(ENGINE).split() == ["20.10.24"] * 3, "no pin means whatever is installed"
    pin(host, "20.10")


def test_an_engine_goes_up_and_down_beneath_a_running_container(host: LabHost) -> None:
    before = survivor(host)
    assert before.startswith("running ")
    for version, full in (("26.1.5", "26.1.5"), ("20.10", "20.10.24")):
        pin(host, version)
        assert host.sh(ENGINE).split() == [full] * 3
        assert running_engine(host) == full
        assert survivor(host) == before
        assert pin(host, version) == []


def test_a_transaction_that_failed_leaves_the_engine_and_the_next_run_moves_it(host: LabHost) -> None:
    """Fault: the transaction to a new pin fails. Outcome: the old engine stays, and the next run moves it."""
    before = survivor(host)
    run = host.converge(
        docker_engine_version="26.1.5", docker_engine_repo_root="https://download.docker.com/tampered/linux"
    )
    assert run.status != 0
    assert "includepkgs=docker-ce-26.1.5-*" in host.sh(f"cat {REPOSITORY}"), "the file is ahead of the packages"
    assert host.sh(ENGINE).split() == ["20.10.24"] * 3
    pin(host, "26.1.5")
    assert running_engine(host) == "26.1.5"
    assert survivor(host) == before
    pin(host, "20.10")


def state(host: LabHost) -> str:
    return host.sh(
        f"{ENGINE}; cat {REPOSITORY} /etc/docker/daemon.json; systemctl show docker.service --property=MainPID"
    )


def test_check_mode_announces_what_a_jump_over_a_major_version_means(host: LabHost) -> None:
    """Fault: the new version jumps over a major version. Outcome: announced with what it means, in check mode too."""
    before = state(host)
    run = host.converge("--check", docker_engine_version="26.1.5")
    assert run.status == 0, run.output
    said = " ".join(run.warnings(host.name))
    for words in ("from 20.10.24 to 26.1.5", "live-restore only within 20.10", "API older than 1.24", "graph"):
        assert words in said
    assert state(host) == before
    assert "live-restore" not in " ".join(host.converge("--check").warnings(host.name)), "no change"


def test_an_option_that_the_new_version_does_not_know_is_refused_before_the_packages_change(host: LabHost) -> None:
    """Fault: an option that the requested version does not know. Outcome: refused; nothing changes."""
    before = state(host)
    run = host.converge(docker_engine_version="26.1.5", docker_engine_daemon_options={"oom-score-adjust": -5})
    assert run.status != 0
    assert "does not work with docker-ce 26.1.5: oom-score-adjust was removed in engine 25.0" in run.failure(host.name)
    assert state(host) == before


def test_containers_that_a_change_of_the_version_stops_are_counted_first(host: LabHost) -> None:
    """Fault: containers that a version change would stop because live-restore is off. Outcome: counted in a warning."""
    loose = {"docker_engine_daemon_options": {"live-restore": False}}
    assert host.converge(docker_engine_version="20.10", **loose).status == 0
    host.sh("docker start survivor")
    warned = host.converge("--check", docker_engine_version="26.1.5", **loose)
    assert "1 container will be stopped" in str(dict(warned.results(host.name)))
    pin(host, "20.10")
    host.sh("docker start survivor")
    quiet = host.converge("--check", docker_engine_version="26.1.5")
    assert "container will be stopped" not in str(dict(quiet.results(host.name)))


# Values with which each option would be fine, had the engine it.
UNKNOWN_TO_26: list[dict[str, Any]] = [
    {"disable-legacy-registry": True},
    {"cluster-advertise": "192.0.2.1:2375"},
    {"cluster-store": "consul://192.0.2.1:8500"},
    {"cluster-store-opts": {"kv.path": "docker"}},
    {"graph": "/srv"},
    {"storage-driver": "aufs"},
    {"storage-driver": "overlay"},
    {"storage-driver": "overlay2", "storage-opts": ["overlay2.override_kernel_check=true"]},
    {"storage-driver": "devicemapper"},
    {"oom-score-adjust": -500},
    {"bip6": "fd00:1::1/64"},
    {"host-gateway-ips": ["192.0.2.1"]},
    {"ip-forward-no-drop": True},
    {"allow-direct-routing": True},
    {"bridge-accept-fwmark": "1"},
    {"firewall-backend": "iptables"},
    {"min-api-version": "1.24"},
    {"nri-opts": {"enable": False}},
    {"default-stop-timeout": 30},
]


def last_words(host: LabHost, options: dict[str, Any]) -> str:
    """Return what dockerd says when it gives up by itself, beside the one that runs; '' when it does not.

    Not by docker_daemon's proof, which replaces some options.
    """
    host.sh(f"echo {shlex.quote(json.dumps(options))} >/tmp/daemon.json")
    aside = " ".join(f"--{name} /tmp/aside/{name}" for name in ("data-root", "exec-root", "pidfile"))
    command = f"timeout 20 dockerd --config-file /tmp/daemon.json --host unix:///tmp/aside.sock {aside}"
    status, output = host.run("unshare", "--net", "sh", "-c", command)
    return output.splitlines()[-1] if status == 1 else ""


@pytest.mark.parametrize("options", UNKNOWN_TO_26, ids=json.dumps)
def test_the_newer_engine_dies_of_what_the_table_says(converged_host: LabHost, options: dict[str, Any]) -> None:
    (phrase,) = versions.unusable(options, running_engine(converged_host))
    name = re.split(" was | is ", phrase)[0].split()[-1]
    # Of an option that it does not know and that holds others, dockerd names those.
    inner = options.get(name)
    names = [name, *(inner if isinstance(inner, dict) else ())]
    last = last_words(converged_host, options)
    assert [word for word in names if word in last], last


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"proxies": {"no-proxy": "localhost"}}, "no-proxy"),
        # It names what an unknown option holds. Of bridge, which is an option too, it would say nothing.
        ({"default-network-opts": {"overlay": {"encrypted": ""}}}, "overlay"),
        ({"cdi-spec-dirs": ["/etc/cdi"]}, "cdi-spec-dirs"),
        ({"log-format": "json"}, "log-format"),
    ],
)
def test_the_older_engine_dies_of_what_came_later(host: LabHost, options: dict[str, Any], name: str) -> None:
    assert f"{next(iter(options))} is new" in versions.unusable(options, running_engine(host))[0]
    assert name in last_words(host, options)


@pytest.mark.parametrize("version", ["latest", "v26.1.5", "26", "3:26.1.5-1.el9"])
def test_what_is_no_pin_is_refused(host: LabHost, version: str) -> None:
    before = state(host)
    run = host.converge(docker_engine_version=version)
    assert run.status != 0
    assert f"'{version}' is not a valid version: write 26.1 or 26.1.5" in run.failure(host.name)
    assert state(host) == before
