# SPDX-License-Identifier: Apache-2.0
"""Claims about engines of users (role docker_rootless), tried as each user over their own socket."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Variable = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def users(variable: Variable) -> list[str]:
    listed = [user if isinstance(user, dict) else {"name": user} for user in variable("docker_rootless_users", [])]
    present = [str(user["name"]) for user in listed if user.get("state", "present") == "present"]
    if not present:
        pytest.skip("the inventory lists no users with engines of their own")
    return present


def socket_of(host: Host, user: str) -> str:
    return f"/run/user/{host.user(user).uid}/docker.sock"


def docker(host: Host, user: str, arguments: str, socket: str = "") -> Any:
    """Run the docker command as a user, with their own engine by default, in a login's environment."""
    address = f"unix://{socket or socket_of(host, user)}"
    return host.run(
        f"cd / && runuser --user {user} -- env HOME={host.user(user).home} docker --host {address} {arguments}"
    )


def test_each_engine_runs_as_its_user(host: Host, users: list[str]) -> None:
    for user in users:
        pids = host.check_output("pgrep --uid %s --exact dockerd", user).split()
        assert pids
        for pid in pids:
            assert host.check_output("stat --format %%U /proc/%s", pid) == user
        assert "name=rootless" in docker(host, user, "info --format '{{.SecurityOptions}}'").stdout


def test_each_engine_is_that_of_its_user_s_docker_command(host: Host, users: list[str]) -> None:
    for user in users:
        home = host.user(user).home
        shown = host.check_output(
            f"cd / && runuser --user {user} -- env HOME={home} docker info --format '{{{{.DockerRootDir}}}}'"
        )
        assert shown == docker(host, user, "info --format '{{.DockerRootDir}}'").stdout.strip()


def test_no_two_users_share_subordinate_numbers(host: Host, users: list[str]) -> None:
    for path in ("/etc/subuid", "/etc/subgid"):
        ranges = sorted(
            (int(start), int(count), owner)
            for owner, start, count in (line.split(":") for line in host.file(path).content_string.splitlines())
        )
        assert set(users) <= {owner for _, _, owner in ranges}
        for (start, count, owner), (following, _, other) in itertools.pairwise(ranges):
            assert start + count <= following or owner == other, f"{path}: {owner} and {other} overlap"


def test_the_root_of_a_container_is_not_the_root_of_the_host(host: Host, users: list[str], image: str) -> None:
    """A file that root in a container makes belongs to the user, and the host's root's files stay closed."""
    for user in users:
        load_image(host, user, image)
        home = host.user(user).home
        host.check_output("rm --force %s/.slipway-claim", home)
        mounted = f"--volume {home}:/mnt --volume /etc/shadow:/shadow:ro"
        if image == "hello-world":
            assert docker(host, user, f"run --rm {image}").rc == 0
            continue
        assert docker(host, user, f"run --rm {mounted} {image} touch /mnt/.slipway-claim").rc == 0
        assert host.file(f"{home}/.slipway-claim").user == user
        host.check_output("rm %s/.slipway-claim", home)
        assert docker(host, user, f"run --rm {mounted} {image} cat /shadow").rc != 0


def load_image(host: Host, user: str, image: str) -> None:
    if image != "hello-world":
        assert docker(host, user, "load --quiet --input /usr/share/slipway/hello.tar").rc == 0


def test_engines_of_others_are_out_of_reach(host: Host, users: list[str]) -> None:
    for user in users:
        for other in users:
            if other != user:
                assert docker(host, user, "version", socket_of(host, other)).rc != 0


def test_the_system_s_engine_is_out_of_reach(host: Host, users: list[str], variable: Variable) -> None:
    both = set(variable("docker_access_members", []))
    for user in users:
        if user not in both:
            assert docker(host, user, "version", "/run/docker.sock").rc != 0


def test_each_engine_starts_at_boot(host: Host, users: list[str]) -> None:
    for user in users:
        assert host.file(f"/var/lib/systemd/linger/{user}").exists
        home = host.user(user).home
        assert host.file(f"{home}/.config/systemd/user/default.target.wants/docker.service").is_symlink


def test_limits_of_containers_work(host: Host, users: list[str], variable: Variable) -> None:
    if not variable("docker_rootless_limits", True):
        pytest.skip("docker_rootless_limits is false: the host may lack cgroup v2")
    for user in users:
        uid = host.user(user).uid
        given = host.file(f"/sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers")
        assert {"cpu", "memory", "pids"} <= set(given.content_string.split())
        assert docker(host, user, "info --format '{{.CgroupDriver}} {{.MemoryLimit}}'").stdout.strip() == "systemd true"
