# SPDX-License-Identifier: Apache-2.0
"""The baked folder boots with systemd-nspawn and is a container host without further steps.

Without a network there is no AWS metadata either, so the instance is not ready; and no container runs, since
systemd-nspawn mounts cgroup v1 read-only. tests/lab boots images with their own kernel and network.
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
    """Two machines, each booted from a separate copy; the second has user data."""
    first, second = copy("first"), copy("second")
    give_user_data(second)
    with ExitStack() as running:
        yield [running.enter_context(nspawn.booted(root)) for root in (first, second)]


def give_user_data(root: Path) -> None:
    """Write the user data of the playbook where cloud-init looks for it on a machine without a cloud."""
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


def test_only_units_that_need_aws_fail(machine: Machine) -> None:
    failed = machine.output("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()
    runs_every_minute = "slipway-metrics.service"
    assert {line.split()[0] for line in failed} - {runs_every_minute} == {
        "docker-auth-check.service",
        "docker-firstboot.service",
    }
    journal = machine.journal("docker-auth-check.service")
    assert "the instance metadata service at http://169.254.169.254 does not respond" in journal


def test_the_instance_reports_why_it_is_not_ready(machine: Machine) -> None:
    done = machine.run("slipway-ready", "--wait", "60")
    assert done.returncode == 1
    assert done.stdout.startswith("failed: settings (") and "there is no default route" in done.stdout


def test_cloud_init_fails_if_the_instance_is_not_ready(machines: list[Machine]) -> None:
    """Fault: an instance with the role's user data is not ready. Outcome: so is cloud-init, which has the reason in its
    log.
    """
    assert "status: error" in machines[1].run("cloud-init", "status").stdout
    output = machines[1].output("cat", "/var/log/cloud-init-output.log")
    assert "failed: settings (read), network (" in output
    assert "run slipway-ready to see whether this instance is ready" in output


def test_the_boot_reaches_multi_user_mode(machine: Machine) -> None:
    assert machine.output("systemctl", "is-active", "multi-user.target") == "active"


def test_only_root_and_group_members_can_use_the_engine(machine: Machine) -> None:
    command = ("docker", "version", "--format={{.Server.Version}}")
    version = machine.output(*command)
    assert version
    assert machine.output("runuser", "--user=alice", "--", *command) == version
    assert "permission denied" in machine.run("runuser", "--user=nobody", "--", *command).stderr


def test_the_socket_belongs_to_root_and_the_docker_group(machine: Machine) -> None:
    assert machine.output("stat", "--format=%U:%G %a", "/run/docker.sock") == "root:docker 660"


@pytest.mark.parametrize(
    "identity", ["/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub", "/var/lib/docker/engine-id"]
)
def test_each_machine_creates_its_own_identity(machines: list[Machine], identity: str) -> None:
    """Fault: two machines boot from one image (systemd-nspawn). Outcome: each has its own machine-id, host keys and
    engine-id.
    """
    first, second = (machine.output("cat", identity) for machine in machines)
    assert first and second
    assert first != second
