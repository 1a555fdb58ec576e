# SPDX-License-Identifier: Apache-2.0
"""Engines of users: rootlesskit, newuidmap, slirp4netns, systemd of users and dockerd, all of them real.

The hosts have what this machine has. With cgroup v1, users get no controllers, so that limits of containers are
not proven here. Overlays on overlays do not mount, so that their engines use the storage driver vfs.
"""

from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

USERS: list[Any] = ["alice", {"name": "bob", "daemon_options": {"debug": True}}]
WANTED: dict[str, Any] = {"docker_rootless_users": USERS, "docker_rootless_limits": False}
# What an engine is made of, and nothing that a running one changes.
STATE = (
    "cat /etc/subuid /etc/subgid; ls /var/lib/systemd/linger /etc/sysctl.d /var/lib/slipway;"
    "ls -A /home/* /home/*/.config /home/*/.docker 2>/dev/null || true; getent passwd"
)
# Docker hides parts of /proc and /sys from a container, and no user namespace in it may mount what is hidden, so that
# engines without root would start no containers on a host that is one. A real host hides nothing.
SHOW_PROC = """cat >/etc/systemd/system/show-proc.service <<'END'
[Unit]
DefaultDependencies=no
After=proc-sys-writable.service
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c "umount --lazy $$(grep -oE ' (/proc/[^ ]+|/sys/firmware) ' /proc/self/mountinfo | xargs)"
[Install]
WantedBy=sysinit.target
END
systemctl enable --now --quiet show-proc.service"""
PIDS = "pgrep --exact dockerd | sort | xargs"


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A host where two users have engines, and mallory has none; alice had no subordinate numbers."""
    host = workbench.make_converged("test-rootless")
    host.sh(SHOW_PROC)
    host.sh("sed -i /^alice:/d /etc/subuid /etc/subgid")
    predicted = ok(rootless(host, "--check", "--diff"))
    assert "lingering of alice" in predicted.output
    before = host.sh(STATE)
    assert "alice:" not in host.sh("cat /etc/subuid")
    assert ok(rootless(host)).changed(host.name)
    assert host.sh(STATE) != before
    return host


def rootless(host: LabHost, *options: str, **variables: Any) -> Run:
    """Run the role alone; what it says of limits and of its users' other rights is expected."""
    return host.apply("docker_rootless", *options, **{**WANTED, **variables})


def docker(user: str, arguments: str) -> str:
    """Return a script that runs the docker command as a user, whose context leads to their engine."""
    return f"cd / && runuser --user {user} -- env HOME=/home/{user} docker {arguments}"


def claim(host: LabHost, **variables: Any) -> None:
    """Check the claims of tests/verify on the host."""
    checked = host.verify("test_rootless.py", **{**WANTED, **variables})
    assert checked.returncode == 0, checked.stdout
    assert " passed" in checked.stdout


def test_users_have_engines_that_are_theirs_alone(host: LabHost) -> None:
    claim(host)
    assert host.sh(docker("alice", "info --format '{{.Driver}} {{.LoggingDriver}}'")) == "vfs json-file"
    assert host.sh(docker("bob", "info --format '{{.Debug}}'")) == "true"
    # And a port that a container publishes is the user's on the host.
    host.sh(docker("alice", "run --detach --name web --publish 127.0.0.1:8080:80 slipway/hello httpd -f -p 80 -h /etc"))
    assert "localhost" in host.sh("curl --silent --fail --retry 5 --retry-connrefused http://127.0.0.1:8080/hosts")
    host.sh(docker("alice", "rm --force web"))


def test_a_second_run_changes_nothing_with_one_call_of_a_module(host: LabHost) -> None:
    before = host.sh(PIDS)
    run = ok(rootless(host))
    assert run.changed(host.name) == []
    assert len([name for name, result in run.results(host.name) if not result.get("skipped")]) == 3
    assert ok(rootless(host, "--check")).changed(host.name) == []
    assert host.sh(PIDS) == before


@pytest.mark.slow
def test_a_change_restarts_only_the_engine_that_it_is_for(host: LabHost) -> None:
    alice, bob = (host.sh(f"pgrep --uid {user} --exact dockerd") for user in ("alice", "bob"))
    changed = [{"name": "alice", "daemon_options": {"labels": ["team=web"]}}, USERS[1]]
    predicted = ok(rootless(host, "--check", "--diff", docker_rootless_users=changed))
    assert "team=web" in predicted.output
    ok(rootless(host, docker_rootless_users=changed))
    assert host.sh(docker("alice", "info --format '{{.Labels}}'")) == "[team=web]"
    assert host.sh("pgrep --uid alice --exact dockerd") != alice
    assert host.sh("pgrep --uid bob --exact dockerd") == bob
    ok(rootless(host))


def test_a_configuration_that_would_kill_the_engine_is_refused_while_it_runs(host: LabHost) -> None:
    """Fault: an engine of a user would not start with its new configuration. Outcome: a trial start as that user shows
    it; the engine runs on, and nothing changes.
    """
    before = host.sh(f"{STATE}; {PIDS}; cat /home/alice/.config/docker/daemon.json")
    bad = [{"name": "alice", "daemon_options": {"default-runtime": "nowhere"}}, USERS[1]]
    failure = rootless(host, docker_rootless_users=bad).failure(host.name)
    assert "The engine of alice does not start with the new configuration" in failure
    assert "nowhere" in failure
    assert failure.endswith("Nothing was changed.")
    assert host.sh(f"{STATE}; {PIDS}; cat /home/alice/.config/docker/daemon.json") == before


@pytest.mark.slow
def test_engines_come_back_after_a_reboot(host: LabHost) -> None:
    host.reboot()
    host.sh(f"timeout 60 sh -c 'until {docker('alice', 'version')} && {docker('bob', 'version')}; do sleep 0.2; done'")
    claim(host)
    assert ok(rootless(host)).changed(host.name) == []


@pytest.mark.slow
def test_an_engine_that_does_not_start_gets_its_previous_files_back(host: LabHost) -> None:
    """Fault: an engine of a user passes its trial start, and then does not start. Outcome: its previous files are back,
    and it runs.
    """
    drop_in = "/home/bob/.config/systemd/user/docker.service.d"
    before = host.sh("cat /home/bob/.config/docker/daemon.json")
    # Only the real engine is started by systemd, where a drop-in of the user lets it fail with debug: false.
    host.sh(
        f"runuser --user bob -- mkdir -p {drop_in};"
        "printf '[Service]\\nExecStartPre=/bin/grep debug.*true /home/bob/.config/docker/daemon.json\\n' |"
        f"runuser --user bob -- tee {drop_in}/test.conf"
    )
    try:
        failure = rootless(host, docker_rootless_users=["alice", "bob"]).failure(host.name)
        assert "The engine of bob did not start" in failure
        assert "It runs with the previous files again" in failure
        assert host.sh("cat /home/bob/.config/docker/daemon.json") == before
        assert host.sh(docker("bob", "info --format '{{.Debug}}'")) == "true"
    finally:
        host.sh(f"rm -r {drop_in}")
    ok(rootless(host))


@pytest.mark.slow
def test_an_engine_whose_program_was_replaced_is_restarted(host: LabHost) -> None:
    before = host.sh("pgrep --uid alice --exact dockerd")
    host.sh("cp -p /usr/bin/rootlesskit /usr/bin/new; mv /usr/bin/new /usr/bin/rootlesskit")
    assert ok(rootless(host)).changed(host.name)
    assert host.sh("pgrep --uid alice --exact dockerd") != before
    assert ok(rootless(host)).changed(host.name) == []


@pytest.mark.slow
def test_a_user_in_both_worlds_is_reported(host: LabHost) -> None:
    host.sh("gpasswd --add alice docker")
    try:
        assert "alice has an engine without root, and may use the system's engine too" in ok(rootless(host)).output
    finally:
        host.sh("gpasswd --delete alice docker")


@pytest.mark.slow
def test_low_ports_and_ping_are_allowed_only_when_asked_for(host: LabHost) -> None:
    sysctl = "sysctl --values net.ipv4.ip_unprivileged_port_start net.ipv4.ping_group_range | xargs"
    before = host.sh(sysctl)
    ok(rootless(host, docker_rootless_port_start=80, docker_rootless_ping=True))
    assert host.sh(sysctl) == "80 0 2147483647"
    host.sh(docker("bob", "run --detach --name web --publish 80:80 slipway/hello httpd -f -p 80 -h /etc"))
    assert "localhost" in host.sh("curl --silent --fail --retry 5 --retry-connrefused http://127.0.0.1/hosts")
    host.sh(docker("bob", "rm --force web"))
    assert ok(rootless(host, docker_rootless_port_start=80, docker_rootless_ping=True)).changed(host.name) == []
    ok(rootless(host))
    assert not host.sh("ls /etc/sysctl.d | grep slipway || true")
    assert before != "80 0 2147483647"  # it is back after the next boot


@pytest.mark.slow
def test_logins_and_images_are_for_these_engines_too(workbench: Workbench, host: LabHost) -> None:
    """A private image comes by the user's network and login, and their docker command keeps its context."""
    login = {"username": "alice", "token": hub.credentials(workbench.lab)["alice"], "user": "alice"}
    tasks = [
        {"ansible.builtin.import_role": {"name": f"slipway.platform.{role}"}}
        for role in ("docker_registry_auth", "docker_images")
    ]
    variables = {
        "docker_registry_auth_logins": [login],
        "docker_images_list": [{"name": "alice/private", "digest": hub.digest(workbench.lab), "tags": ["stable"]}],
        "docker_images_user": "alice",
        "docker_images_socket": f"/run/user/{host.sh('id --user alice')}/docker.sock",
    }
    assert ok(host.play(*tasks, variables=variables)).changed(host.name)
    assert "alice/private:stable" in host.sh(docker("alice", "image ls --format '{{.Repository}}:{{.Tag}}'"))
    assert "alice/private" not in host.sh("docker image ls")
    assert ok(host.play(*tasks, variables=variables)).changed(host.name) == []


@pytest.mark.slow
def test_removal_keeps_data_and_takes_back_only_what_it_made(host: LabHost) -> None:
    """Fault: an engine of a user is removed by mistake. Outcome: its images, containers and volumes stay,
    and are there when it is set up again.
    """
    host.sh(docker("bob", "volume create kept"))
    linger = host.sh("ls /var/lib/systemd/linger | xargs")
    gone = ["alice", {"name": "bob", "state": "absent"}]
    ok(rootless(host, docker_rootless_users=gone))
    assert linger == "alice bob"
    assert host.sh("ls /var/lib/systemd/linger | xargs") == "alice"
    assert host.run("pgrep", "--uid", "bob", "--exact", "dockerd")[0] != 0
    assert "rootless" not in host.sh(docker("bob", "context ls"))
    assert ok(rootless(host, docker_rootless_users=gone)).changed(host.name) == []
    ok(rootless(host))
    assert "kept" in host.sh(docker("bob", "volume ls --quiet"))
    purged = [
        {"name": "bob", "state": "absent", "purge_data": True},
        {"name": "alice", "state": "absent", "purge_data": True},
    ]
    ok(rootless(host, docker_rootless_users=purged))
    assert host.sh("ls -d /home/*/.local/share/docker 2>/dev/null || true") == ""
    # Alice's numbers came from the role, bob's were there before.
    assert host.sh("cut -d: -f1 /etc/subuid | sort | xargs") == "bob mallory"
    assert ok(rootless(host, docker_rootless_users=purged)).changed(host.name) == []
    assert "rootless" not in host.sh("ls /var/lib/slipway")
    # What the user writes meanwhile is kept beside what the role writes.
    host.sh("echo '{}' | runuser --user bob -- tee /home/bob/.config/docker/daemon.json")
    ok(rootless(host))
    assert host.sh("cat /home/bob/.config/docker/daemon.json.before-slipway") == "{}"


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "user who does not exist": ({"docker_rootless_users": ["zoe"]}, ["'zoe' does not exist", "create it first"]),
    "user without a home": ({"docker_rootless_users": ["homeless"]}, ["/home/homeless of homeless does not exist"]),
    "root": ({"docker_rootless_users": ["root"]}, ["root has the system's engine"]),
    "root by another name": ({"docker_rootless_users": ["toor"]}, ["toor is root (user ID 0)"]),
    "home of somebody else": ({"docker_rootless_users": ["guest"]}, ["guest cannot write in /home/guest", "chown"]),
    "ranges that overlap": (
        {"docker_rootless_users": ["mallory"]},
        ["to mallory and to eve", "usermod --del-subuids", "eve"],
    ),
    "range of another user": (
        {"docker_rootless_users": [{"name": "bob", "subid_start": 231080}]},
        ["231080", "overlaps that of", "/etc/subuid"],
    ),
    "host without delegation": (
        {"docker_rootless_limits": True},
        ["cgroup v1", "--memory", "docker_rootless_limits: false"],
    ),
    "userns-remap": ({"docker_rootless_daemon_options": {"userns-remap": "default"}}, ["userns-remap", "without root"]),
    "live-restore": ({"docker_rootless_daemon_options": {"live-restore": True}}, ["live-restore", "without root"]),
    "data root of root": (
        {"docker_rootless_daemon_options": {"data-root": "/var/lib/docker"}},
        ["/var/lib/docker of alice belongs to the system's engine"],
    ),
    "data root that the user cannot write": (
        {"docker_rootless_daemon_options": {"data-root": "/srv/docker"}},
        ["alice cannot write in /srv"],
    ),
    "network driver that is not there": (
        {"docker_rootless_users": [{"name": "alice", "network": "gvisor-tap-vsock"}]},
        ["gvisor-tap-vsock", "docker_engine_version"],
    ),
}


@pytest.fixture(scope="module")
def refusals(host: LabHost) -> dict[str, str]:
    """What the role says of each bad input; the host is as it was before them."""
    files = host.sh("sort /etc/subuid /etc/subgid")
    host.sh(
        "useradd --no-create-home homeless; useradd --create-home guest; chown root /home/guest; chmod 755 /home/guest;"
        "useradd --non-unique --uid 0 --gid 0 --create-home toor; useradd --create-home eve;"
        "sed -i '/^eve:/d' /etc/subuid; sed -n 's/^mallory/eve/p' /etc/subuid >>/etc/subuid"
    )
    before = host.sh(STATE)
    cases = {case: {**WANTED, **variables} for case, (variables, _) in REFUSED.items()}
    said = host.refusals("docker_rootless", cases)
    assert host.sh(STATE) == before
    host.sh(
        "for user in homeless guest eve; do userdel $user; done;"
        "sed -i /^toor:/d /etc/passwd /etc/shadow /etc/subuid /etc/subgid"
    )
    assert host.sh("sort /etc/subuid /etc/subgid") == files
    return said


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_before_anything_is_changed(refusals: dict[str, str], case: str) -> None:
    """Fault: a user without a home, subordinate numbers that overlap, a host without cgroup delegation, an option that
    needs root. Outcome: refused; nothing changes.
    """
    for word in REFUSED[case][1]:
        assert word in refusals[case]
    assert refusals[case].endswith("Nothing was changed.")


@pytest.mark.slow
def test_another_network_driver_comes_in_one_transaction_and_serves_the_engine(host: LabHost) -> None:
    host.sh(
        "printf '[baseos]\\nname=BaseOS\\nbaseurl=https://download.docker.com/baseos\\n"
        "gpgcheck=1\\ngpgkey=https://download.docker.com/baseos/gpg\\n' >/etc/yum.repos.d/baseos.repo"
    )
    wanted = {"docker_rootless_users": ["alice", {"name": "bob", "network": "pasta"}]}
    assert "passt" in ok(rootless(host, "--check", **wanted)).output
    assert host.run("rpm", "--query", "passt")[0] != 0
    ok(rootless(host, **wanted))
    assert host.sh("pgrep --uid bob --full '^pasta '")
    host.sh(docker("bob", "load --quiet --input /usr/share/slipway/hello.tar"))
    host.sh(docker("bob", "run --detach --name web --publish 8081:80 slipway/hello httpd -f -p 80 -h /etc"))
    assert "localhost" in host.sh("curl --silent --fail --retry 5 --retry-connrefused http://127.0.0.1:8081/hosts")
    host.sh(docker("bob", "rm --force web"))
    assert ok(rootless(host, **wanted)).changed(host.name) == []
