# SPDX-License-Identifier: Apache-2.0
"""The baked folder boots by systemd-nspawn, and is a container host without another step.

There is no network, so there are no AWS' metadata either, and the instance is not ready; and no container runs, for
systemd-nspawn shows control groups of version 1 read-only. Boots with a kernel and a network of their own: tests/lab.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from slipway.lab import nspawn, play
from slipway.lab.nspawn import Machine
from slipway.lab.paths import PROJECT


@pytest.fixture(scope="module")
def machines(copy: Callable[[str], Path]) -> Iterator[list[Machine]]:
    """Two machines, each booted from a copy of its own; the second has user data."""
    first, second = copy("first"), copy("second")
    give_user_data(second)
    with ExitStack() as running:
        yield [running.enter_context(nspawn.booted(root)) for root in (first, second)]


def give_user_data(root: Path) -> None:
    """Have cloud-init find what the role writes, where it looks on a machine without a cloud around it."""
    seed = root / "var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True)
    (seed / "meta-data").write_text("instance-id: second\n")
    hosts = root.with_name("controller")
    hosts.write_text("localhost\n")
    run = play.run(PROJECT / "playbooks/user_data.yml", hosts, {"user_data_path": str(seed / "user-data")})
    assert run.status == 0, run.output


@pytest.fixture(scope="module")
def machine(machines: list[Machine]) -> Machine:
    return machines[0]


def test_nothing_fails_but_what_needs_aws(machine: Machine) -> None:
    failed = machine.output("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()
    of_every_minute = "slipway-metrics.service"
    assert {line.split()[0] for line in failed} - {of_every_minute} == {
        "docker-auth-check.service",
        "docker-firstboot.service",
    }
    journal = machine.output("journalctl", "--unit=docker-auth-check.service", "--output=cat")
    assert "the instance metadata service at http://169.254.169.254 does not answer" in journal


def test_the_instance_says_why_it_is_not_ready(machine: Machine) -> None:
    done = machine.run("slipway-ready", "--wait", "60")
    assert done.returncode == 1
    assert done.stdout.startswith("failed: settings (") and "there is no default route" in done.stdout


def test_cloud_init_fails_where_the_instance_does(machines: list[Machine]) -> None:
    assert "status: error" in machines[1].run("cloud-init", "status").stdout
    output = machines[1].output("cat", "/var/log/cloud-init-output.log")
    assert "failed: settings (read), network (" in output
    assert "slipway-ready says whether this instance is ready" in output


def test_the_boot_has_reached_multi_user_mode(machine: Machine) -> None:
    assert machine.output("systemctl", "is-active", "multi-user.target") == "active"


def test_the_engine_answers_root_and_the_member_of_its_group_and_nobody_else(machine: Machine) -> None:
    question = ("docker", "version", "--format={{.Server.Version}}")
    version = machine.output(*question)
    assert version
    assert machine.output("runuser", "--user=alice", "--", *question) == version
    assert "permission denied" in machine.run("runuser", "--user=nobody", "--", *question).stderr


def test_the_socket_belongs_to_the_docker_group_only(machine: Machine) -> None:
    assert machine.output("stat", "--format=%U:%G %a", "/run/docker.sock") == "root:docker 660"


@pytest.mark.parametrize(
    "identity", ["/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub", "/var/lib/docker/engine-id"]
)
def test_each_machine_has_made_an_identity_of_its_own(machines: list[Machine], identity: str) -> None:
    first, second = (machine.output("cat", identity) for machine in machines)
    assert first and second
    assert first != second
