# SPDX-License-Identifier: Apache-2.0
"""A machine under QEMU as a host of Ansible, reached over SSH: it has a kernel and an SELinux policy of its own."""

import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.lab import hosts, inventory, loopback_repository, machine_root, private_engine
from slipway.lab.lab import Lab
from slipway.lab.paths import LAB
from slipway.lab.systems import System
from slipway.lab.virtual_machine import Disk, Server, VirtualMachine
from slipway.lab.workbench import Host

FOLDER = LAB / "machines"
KEY = FOLDER / "ssh-key"
# Not link-local: the kernel does not masquerade containers behind such an address.
NETWORK = "10.0.2.0/24"
REPOSITORY = "10.0.2.100"
BOOT_SECONDS = 1800  # twice what it took on two cores that had much other work
# Of the machine's own interfaces: systemd-networkd would take those of containers from their bridge.
LINK = """[Match]
Name=en*
[Network]
DHCP=ipv4
"""
POLICY = "default"  # Debian's name of its targeted policy
ENFORCING = f"SELINUX=enforcing\nSELINUXTYPE={POLICY}\n"
# Kernel options.
WITH_SELINUX = "security=selinux enforcing=1"
WITHOUT_SELINUX = "selinux=0"


@dataclass(frozen=True)
class MachineHost(Host):
    """A running machine and the operations on it."""

    port: int

    def run(self, *command: str) -> tuple[int, str]:
        done = subprocess.run(
            [
                *("ssh", "-q", "-i", KEY, "-p", str(self.port), "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"),
                *(*inventory.SSH_OPTIONS, "root@127.0.0.1", f"{shlex.join(command)} 2>&1"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip()


def obstacle() -> str:
    """Return why no machine can be had here, or ""."""
    if os.geteuid() != 0:
        return "only root can make the disk of a machine"
    if not shutil.which("ssh"):
        return "Ansible reaches a machine by ssh: install openssh-client"
    return ""


@contextmanager
def disk(lab: Lab, system: System) -> Iterator[Disk]:
    """Make a disk with a machine of a system, which has the labels of its SELinux policy.

    The engine's packages are on it: to install them in an emulated machine takes many minutes.
    """
    root = FOLDER / f"host-{system.name}"
    machine_root.remove(root)
    machine_root.unpack(lab, root, system)
    try:
        machine_root.install_engine(root, loopback_repository.start(lab), system)
        _prepare(root)
        made = Disk.of(root, root.name, "4G")
    finally:
        machine_root.remove(root)
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def booted(lab: Lab, disk: Disk, name: str, kernel_options: str) -> Iterator[MachineHost]:
    """Boot a machine, and have it as a host until the block ends; it reaches the package repository."""
    hosts.ready_network(lab)
    name, port = lab.name(name), _free_port()
    path = FOLDER / f"{name}.yml"
    inventory.write_machine(path, name, port, KEY, lab)
    host = MachineHost(name, path, port)
    with VirtualMachine(
        name, disk, _servers(lab), network=NETWORK, kernel_options=kernel_options, ssh_port=port
    ) as machine:
        machine.wait_until(lambda: host.run("true")[0] == 0, "answer by SSH", BOOT_SECONDS)
        host.run("systemctl", "is-system-running", "--wait")
        yield host


def _prepare(root: Path) -> None:
    """Let the machine's owner in, tell it where the servers are, and label its files."""
    if not KEY.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY], check=True)
    keys = root / "root/.ssh/authorized_keys"
    keys.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(KEY.with_suffix(".pub"), keys)
    (root / "etc/systemd/network/lab.network").write_text(LINK)
    with (root / "etc/hosts").open("a") as stream:
        stream.write(f"{REPOSITORY} {' '.join(hosts.REPOSITORY_NAMES)}\n")
    (root / "etc/selinux/config").write_text(ENFORCING)
    contexts = f"/etc/selinux/{POLICY}/contexts/files/file_contexts"
    subprocess.run(["chroot", root, "setfiles", "-F", contexts, "/"], check=True)


def _servers(lab: Lab) -> list[Server]:
    """Return the package repository as the machine reaches it: its network has no way out, but the engine is on it."""
    repository = lab.client.containers.get(lab.name(hosts.REPOSITORY))
    (network,) = repository.attrs["NetworkSettings"]["Networks"].values()
    connect = [*private_engine.enter_network(), "nc", network["IPAddress"]]
    return [Server(REPOSITORY, port, [*connect, str(port)]) for port in (80, 443)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
