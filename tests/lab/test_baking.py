# SPDX-License-Identifier: Apache-2.0
"""While an image is baked the roles start nothing and ask no registry: on a machine that runs, and without systemd."""

import json
from typing import Any

import pytest

from slipway.lab import hosts, inventory, play
from slipway.lab.networks import LABEL
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

BAKE = PROJECT / "playbooks/bake.yml"
UNITS = ["containerd.service", "docker-prune.timer", "docker.service", "docker.socket"]
PROCESSES = "ps -e -o comm= | grep --extended-regexp '^(dockerd|containerd|gpg-agent)' || true"
NOWHERE = "registry.invalid:5000"
SECRET = "dckr_pat_kept-nowhere-4711"
HELPER = "/usr/local/bin/docker-credential-lab"
TLS = {"docker_access_tls": {"ca": "ca", "cert": "cert", "key": SECRET, "listen": "0.0.0.0:2376"}}
SETTINGS: dict[str, Any] = {
    "docker_access_members": ["alice"],
    "docker_access_socket_mode": "0600",
    "docker_engine_prune": {"schedule": "weekly"},
    "docker_images_list": [{"name": f"{NOWHERE}/team/app", "digest": "sha256:" + "0" * 64}],
    "docker_registry_auth_logins": [{"registry": NOWHERE, "helper": "lab", "user": "alice"}],
}


def install_helper(host: LabHost) -> None:
    """Have a credential helper on the host that tells when it is asked."""
    host.sh(f"printf '#!/bin/sh\\ntouch /helper-was-asked\\n' > {HELPER}; chmod 755 {HELPER}")


def enabled(host: LabHost) -> list[str]:
    """Return those of the units that the next boot starts; systemctl tells it of files where nothing runs."""
    states = host.sh(f"SYSTEMD_OFFLINE=1 systemctl is-enabled {' '.join(UNITS)} || true").split()
    return [unit for unit, state in zip(UNITS, states, strict=True) if state == "enabled"]


def active(host: LabHost) -> list[str]:
    states = host.sh(f"systemctl is-active {' '.join(UNITS)} || true").split()
    return [unit for unit, state in zip(UNITS, states, strict=True) if state != "inactive"]


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A machine that runs, as one that Packer has started, and on which an image was baked."""
    host = workbench.make("test-baking")
    install_helper(host)
    predicted = ok(host.converge("--check", "--diff", slipway_baking=True, **SETTINGS))
    baked = ok(host.converge(slipway_baking=True, **SETTINGS))
    assert len(baked.changed(host.name)) == len(predicted.changed(host.name))
    return host


@pytest.fixture(scope="module")
def build(workbench: Workbench) -> LabHost:
    """A container without systemd, in which an image is built."""
    made = workbench.make("test-baking-build")  # for its inventory, and to be thrown away with the others
    made.container.remove(v=True, force=True)
    name = made.name
    container = workbench.lab.client.containers.run(
        workbench.lab.images.host,
        ["sleep", "infinity"],
        name=name,
        network=hosts.ready_network(workbench.lab).name,
        labels={LABEL: "host"},
        init=True,  # reaps what has ended, as whoever starts a build does
        detach=True,
    )
    path = LAB / "workbench" / name / "builds.yml"
    inventory.write(path, [name], workbench.lab, group="image_builds")
    build = LabHost(name, path, container)
    install_helper(build)
    return build


def bake(build: LabHost, *options: str, **variables: Any) -> Run:
    return play.run(BAKE, build.inventory, {**SETTINGS, **variables}, list(options))


@pytest.mark.slow
def test_a_machine_that_runs_is_baked_without_starting_anything(host: LabHost) -> None:
    """Fault: a running machine is baked. Outcome: nothing starts before its next boot."""
    assert host.sh(PROCESSES) == ""
    assert active(host) == []
    assert enabled(host) == UNITS
    assert "SocketMode=0600" in host.sh("cat /etc/systemd/system/docker.socket.d/slipway.conf")
    assert host.sh("id --name --groups alice").split() == ["alice", "docker"]
    assert host.run("ls", "/run/docker.sock", "/run/slipway")[1].count("No such file") == 2


@pytest.mark.slow
def test_a_second_bake_changes_nothing_asks_no_registry_and_says_what_is_left_to_the_first_run(host: LabHost) -> None:
    run = ok(host.converge(slipway_baking=True, **SETTINGS))
    assert run.changed(host.name) == []
    assert f"Left to the first run on a machine made from it: {NOWHERE}/team/app." in " ".join(run.warnings(host.name))
    assert json.loads(host.sh("cat /home/alice/.docker/config.json")) == {"credHelpers": {NOWHERE: "lab"}}
    assert host.run("ls", "/helper-was-asked")[0] == 2


def test_a_secret_is_refused_by_its_name_and_shown_nowhere(fresh_host: LabHost) -> None:
    """Fault: a login, a TLS key or a proxy's password is set while baking. Outcome: refused by the name of the variable
    and shown nowhere; nothing changes.
    """
    logins = [{"username": "acme", "token": SECRET, "user": "alice"}, {"registry": NOWHERE, "helper": "lab"}]
    for role, secret, sentence in (
        (
            "docker_registry_auth",
            {"docker_registry_auth_logins": logins},
            "user alice at docker.io. Have docker_firstboot_credentials",
        ),
        ("docker_access", TLS, "docker_access_tls has a key. Leave it to the first run"),
    ):
        variables = {"slipway_baking": True, **secret}
        task = {"ansible.builtin.import_role": {"name": f"slipway.platform.{role}"}}
        run = fresh_host.play(task, options=("-vvv", "--diff"), variables=variables)
        assert sentence in run.failure(fresh_host.name)
        assert "Nothing was changed." in run.failure(fresh_host.name)
        assert SECRET not in run.output.replace(json.dumps(variables), "")
    folders = ("/home/alice/.docker", "/root/.docker", "/etc/docker/tls")
    assert fresh_host.run("ls", *folders)[1].count("No such file") == len(folders)


@pytest.mark.slow
def test_a_key_that_all_are_to_share_may_ship(host: LabHost) -> None:
    task = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_access", "tasks_from": "preflight"}}
    shared = {"machine_image_seal_allowed_credentials": ["/etc/docker/tls/key.pem"]}
    ok(host.play(task, variables={"slipway_baking": True, **TLS, **shared}))


@pytest.mark.slow
def test_options_that_dockerd_cannot_read_are_refused(host: LabHost) -> None:
    """Fault: options that dockerd cannot read, while baking. Outcome: refused; nothing changes."""
    before = host.sh("sha256sum /etc/docker/daemon.json")
    run = host.converge(slipway_baking=True, docker_engine_daemon_options={"mtu": "nonsense"})
    assert "rejects the new /etc/docker/daemon.json" in run.failure(host.name)
    assert host.sh("sha256sum /etc/docker/daemon.json") == before


@pytest.mark.slow
def test_a_notified_restart_does_nothing(host: LabHost) -> None:
    run = host.play(
        {"ansible.builtin.import_role": {"name": "slipway.platform.docker_engine", "tasks_from": "preflight"}},
        {"ansible.builtin.import_role": {"name": "slipway.platform.docker_access"}},
        {"ansible.builtin.debug": {"msg": "changed"}, "changed_when": True, "notify": "docker_engine restart"},
        variables={"slipway_baking": True, **SETTINGS},
    )
    ok(run)
    assert active(host) == []


@pytest.mark.slow
def test_the_next_boot_starts_the_engine(host: LabHost) -> None:
    """Fault: the first boot after a bake. Outcome: the engine starts."""
    host.reboot()
    assert active(host) == UNITS
    host.sh("docker info")


@pytest.mark.slow
def test_a_later_run_that_bakes_nothing_starts_the_engine(host: LabHost) -> None:
    units = " ".join(reversed(UNITS))
    host.sh(f"systemctl disable --now {units}")
    ok(host.converge(slipway_baking=True, **SETTINGS))
    assert (active(host), enabled(host)) == ([], UNITS)
    ok(host.converge(docker_access_members=["alice"]))
    assert "docker.service" in active(host)


@pytest.mark.slow
def test_bake_yml_changes_nothing_of_a_machine_that_nobody_has_given_up(build: LabHost) -> None:
    """Fault: `bake.yml` on a running machine without a confirmation. Outcome: refused; nothing changes."""
    for variables in ({}, {"machine_image_seal_confirmed": "false"}):
        refused = bake(build, **variables)
        assert "machine_image_seal_confirmed: true" in refused.failure(build.name)
    for secret, sentence in (
        ({"docker_registry_auth_logins": [{"username": "acme", "token": SECRET}]}, "user root at docker.io"),
        (TLS, "docker_access_tls has a key"),
        (
            {"docker_registry_auth_logins": [], "docker_engine_proxy": {"http": f"http://acme:{SECRET}@proxy:3128"}},
            "docker_engine_proxy has credentials in an address, or a token. Bake with a proxy and a mirror",
        ),
    ):
        refused = bake(build, "-vvv", "--diff", machine_image_seal_confirmed=True, **secret)
        assert sentence in refused.failure(build.name)
        assert SECRET not in refused.output.replace(
            json.dumps(SETTINGS | {"machine_image_seal_confirmed": True} | secret), ""
        )
    assert build.run("ls", "/etc/yum.repos.d/docker-ce.repo", "/usr/bin/dockerd")[1].count("No such file") == 2


@pytest.fixture(scope="module")
def baked(build: LabHost) -> LabHost:
    """The container once bake.yml has installed and sealed everything."""
    settings = build.inventory.parent / "group_vars/image_builds.yml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("machine_image_seal_confirmed: true\n")
    ok(bake(build, docker_registry_auth_logins=[]))
    return build


def test_bake_yml_needs_no_systemd_and_seals_what_it_has_baked(baked: LabHost) -> None:
    assert enabled(baked) == UNITS
    assert baked.sh(PROCESSES) == ""
    assert baked.sh("wc --bytes < /etc/machine-id") == "0"


@pytest.mark.slow
def test_a_second_run_of_bake_yml_changes_nothing(baked: LabHost) -> None:
    again = ok(bake(baked, docker_registry_auth_logins=[]))
    assert again.changed(baked.name) == []


@pytest.mark.slow
def test_bake_yml_refuses_an_image_that_is_dirty(baked: LabHost) -> None:
    baked.sh(f'printf \'{{"auths": {{"{NOWHERE}": {{"auth": "YWNtZTo0NzExLTQ3MTE="}}}}}}\' > /opt/config.json')
    dirty = bake(baked, machine_image_seal_confirmed=True, docker_registry_auth_logins=[])
    baked.sh("rm /opt/config.json")
    assert "/opt/config.json, line 1" in dirty.failure(baked.name)
