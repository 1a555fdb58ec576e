# SPDX-License-Identifier: Apache-2.0
"""Machines boot from a baked image as if on EC2: QEMU emulates them, moto plays AWS, and the Hub is the lab's."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from slipway.lab import hosts, hub, images, inventory, loopback_repository, machine_root, play
from slipway.lab.lab import Lab
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.virtual_machine import Disk, VirtualMachine
from tests.support import stand_in_ec2
from tests.support.stand_in_ec2 import SECRET, USER, Surroundings

pytestmark = pytest.mark.slow

MACHINES = LAB / "machines"
PROBES = PROJECT / "tests/support/machine_probe"
BOOT = (PROBES / "boot.sh").read_text()
CREDENTIALS = (PROBES / "credentials.sh").read_text()
END = "say next end\nsay end now\n"
ROTATED = "rotated-token"
BOOT_SECONDS = 400  # a few times what it takes on two cores
WAITED_FOR = f"{hub.NAMES[0]}:443"


@dataclass(frozen=True)
class Instance:
    """A machine that has booted: the identity that it was given, the token of the time, and what it said."""

    identity: str
    token: str
    said: dict[str, str]


@pytest.fixture(scope="module")
def tree(lab: Lab) -> str:
    """The address of the stand-in repository for root file systems."""
    return loopback_repository.start(lab)


@contextmanager
def unpacked(lab: Lab, name: str) -> Iterator[Path]:
    """Have the root file system of a machine in a folder, for as long as a disk is made of it."""
    root = MACHINES / name
    machine_root.remove(root)
    machine_root.unpack(lab, root)
    yield root
    machine_root.remove(root)


@pytest.fixture(scope="module")
def baked(lab: Lab, tree: str) -> Iterator[Disk]:
    """The image: a machine after bake.yml."""
    hosts_file = MACHINES / "hosts.yml"
    fingerprint = images.fingerprint(lab.client, lab.images)
    assert fingerprint
    with unpacked(lab, "baked") as root:
        inventory.write_root(hosts_file, root, tree, fingerprint)
        wishes = {"docker_firstboot_credentials": [{"secret": SECRET}], "docker_firstboot_enabled": True}
        bake = play.run(PROJECT / "playbooks/bake.yml", hosts_file, wishes)
        assert bake.status == 0, bake.output
        disk = Disk.of(root, "baked")
    yield disk
    disk.remove()


@pytest.fixture(scope="module")
def bare(lab: Lab, tree: str) -> Iterator[Disk]:
    """The same machine with the engine in it, and nothing of Slipway."""
    with unpacked(lab, "bare") as root:
        machine_root.install_engine(root, tree)
        subprocess.run(["chroot", root, "systemctl", "enable", "docker.service"], check=True)
        disk = Disk.of(root, "bare")
    yield disk
    disk.remove()


@pytest.fixture(scope="module")
def instances(
    lab: Lab, baked: Disk, bare: Disk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Instance]]:
    """Two instances of the image, and the bare machine, one after the other: their boots are compared by time."""
    hosts.ready_network(lab)
    with stand_in_ec2.surroundings(lab, tmp_path_factory.mktemp("key")) as around:
        yield {
            "first": boot("first", baked, around, of_the_role(BOOT + CREDENTIALS + END)),
            "bare": boot("bare", bare, around, of_cloud_init_alone(BOOT + END)),
            "second": boot("second", baked, around, of_the_role(BOOT + END)),
        }


def of_the_role(probe: str) -> str:
    """The user data that the role writes, with the probe in them."""
    path, inventory = MACHINES / "user-data.yml", MACHINES / "controller"
    inventory.write_text("localhost\n")
    variables = {
        "user_data_path": str(path),
        "user_data_firstboot": {"wait_for": [WAITED_FOR]},
        "user_data_cloud_config": stand_in_ec2.cloud_config(probe),
    }
    written = play.run(PROJECT / "playbooks/user_data.yml", inventory, variables)
    assert written.status == 0, written.output
    return path.read_text()


def of_cloud_init_alone(probe: str) -> str:
    """User data that want nothing of Slipway."""
    return f"#cloud-config\n{yaml.safe_dump(stand_in_ec2.cloud_config(probe))}"


def boot(name: str, disk: Disk, around: Surroundings, user_data: str) -> Instance:
    """Boot a new instance, let it say all that its probe finds, and switch it off."""
    token = around.token
    with (
        around.metadata_service(user_data) as metadata,
        VirtualMachine(name, disk, around.servers(metadata)) as machine,
    ):
        if machine.wait_for("next", BOOT_SECONDS) == "rotate":
            around.rotate(ROTATED)
            metadata.instance["meta-data/tags/instance/rotated"] = "yes"
            machine.wait_for("end", BOOT_SECONDS)
        return Instance(metadata.instance["meta-data/instance-id"], token, machine.said())


@pytest.fixture(scope="module")
def first(instances: dict[str, Instance]) -> Instance:
    return instances["first"]


@pytest.mark.parametrize("name", ["first", "second", "bare"])
def test_docker_is_active_and_no_unit_has_failed(instances: dict[str, Instance], name: str) -> None:
    """Fault: a machine boots from a baked image for the first time. Outcome: the engine runs and no unit has failed."""
    said = instances[name].said
    assert (said["docker"], said["failed"], said["running"]) == ("active", "", "running")


@pytest.mark.parametrize("name", ["first", "second"])
def test_cloud_init_knows_that_it_is_on_ec2(instances: dict[str, Instance], name: str) -> None:
    instance = instances[name]
    assert json.loads(instance.said["cloud_init"])["v1"] == {"datasource": "DataSourceEc2Local", "errors": []}
    assert instance.said["instance"] == instance.identity


def test_two_boots_of_one_image_have_each_an_identity_of_their_own(instances: dict[str, Instance]) -> None:
    """Fault: two machines boot from one image (QEMU). Outcome: each has its own machine-id, host keys and engine-id."""
    first, second = instances["first"].said, instances["second"].said
    assert len(first["machine_id"]) == len(second["machine_id"]) == 32
    assert first["machine_id"] != second["machine_id"]
    first_keys, second_keys = (set(said["host_keys"].split()[1::3]) for said in (first, second))
    assert first_keys and second_keys
    assert first_keys.isdisjoint(second_keys)


def test_the_boot_has_proven_that_the_role_has_the_credentials(first: Instance) -> None:
    assert first.said["check"] == "success active"


def test_the_instance_says_that_it_is_ready_and_why(first: Instance) -> None:
    state, _, steps = first.said["ready"].partition(": ")
    assert state == "ready"
    assert [step.split(" (")[0] for step in steps.split("), ")] == ["settings", "network", "engine", "credentials"]
    assert f"network (connected to {WAITED_FOR}" in steps, "the user data say what this instance waits for"


@pytest.mark.parametrize("name", ["first", "second"])
def test_cloud_init_has_waited_for_it_and_its_last_message_says_where_to_look(
    instances: dict[str, Instance], name: str
) -> None:
    assert instances[name].said["runcmd"] == "ready"
    assert "run slipway-ready to see whether this instance is ready" in instances[name].said["last_message"]


def test_the_helper_has_the_token_from_secrets_manager_by_the_role_alone(first: Instance) -> None:
    assert first.said["metadata_without_session"] == "401"
    credentials = json.loads(first.said["credentials"])
    assert (credentials["Username"], credentials["Secret"]) == (USER, first.token)


def test_a_pull_sends_the_token_and_is_refused_without_it(first: Instance) -> None:
    assert first.said["pull"] == f"docker.io/{USER}/private:latest"
    assert "pull access denied" in first.said["pull_without_the_helper"]


def test_a_rotated_token_serves_the_next_pull(first: Instance) -> None:
    """Fault: a token is rotated in AWS. Outcome: it serves the next pull."""
    assert first.said["pull_after_rotation"] == f"docker.io/{USER}/private:latest"


def test_how_long_docker_takes_to_answer_is_told_beside_the_bare_machine(
    instances: dict[str, Instance], capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = {name: int(instance.said["docker_microseconds"]) / 1_000_000 for name, instance in instances.items()}
    assert all(seconds.values()), seconds
    told = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    with capsys.disabled():
        print(f"\nFrom the kernel's start until docker answers: {told}")
