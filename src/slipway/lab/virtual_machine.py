# SPDX-License-Identifier: Apache-2.0
"""QEMU machines with the environment of an EC2 instance: its DMI data, and servers at their real addresses.

QEMU comes from a Debian root file system below .lab and is not installed. It emulates the processor, since /dev/kvm may
exist in a sandbox without being usable.
"""

import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from slipway.lab import locking, rootfs
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB

# QEMU runs in a chroot: all its files are below TOOLS.
TOOLS = LAB / f"{rootfs.MACHINE_TOOLS.name}-{rootfs.MACHINE_TOOLS.key}"
DISKS = TOOLS / "srv"
# The link-local network, which contains the real address of the metadata service.
LINK_LOCAL = "169.254.0.0/16"
MAC = "52:54:00:12:34:56"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
LAUNCH = 'mount --rbind /dev "$0/dev"; mount --rbind /proc "$0/proc"; exec chroot "$0" "$@"'


@dataclass(frozen=True)
class Disk:
    """A disk with one root file system, and its kernel. Machines do not change it."""

    image: Path
    kernel: Path
    initrd: Path

    @classmethod
    def of(cls, root: Path, name: str, size: str = "3G") -> Self:
        """Create a disk from a folder's content. Needs root, to read all files and keep their owners."""
        rootfs.unpack(rootfs.MACHINE_TOOLS, TOOLS)
        disk = cls(*(DISKS / f"{name}.{part}" for part in ("disk", "kernel", "initrd")))
        disk.remove()
        for kind, file in (("vmlinuz", disk.kernel), ("initrd.img", disk.initrd)):
            found = sorted((root / "boot").glob(f"{kind}-*"))
            if len(found) != 1:
                raise LabError(f"{root}/boot contains {len(found)} files {kind}-*: install exactly one kernel there.")
            file.write_bytes(found[0].read_bytes())
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk.image, size], check=True)
        return disk

    def remove(self) -> None:
        for file in (self.image, self.kernel, self.initrd):
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Server:
    """A server that the machine reaches at an address and port; the command connects it to stdin and stdout."""

    address: str
    port: int
    command: Sequence[str]


def loopback_command(port: int) -> list[str]:
    """Return the `Server` command that connects to a port on this machine's loopback."""
    return ["nc", "127.0.0.1", str(port)]


class VirtualMachine:
    """A machine that runs within its context. Tests make it report on its second serial port.

    The servers' addresses are on the network. kernel_options are added to the kernel's command line. ssh_port is a free
    port of this machine's loopback on which the machine's SSH server is to be reached.
    """

    def __init__(
        self,
        name: str,
        disk: Disk,
        servers: Sequence[Server],
        *,
        network: str = LINK_LOCAL,
        kernel_options: str = "",
        ssh_port: int | None = None,
    ) -> None:
        self.name = name
        forward = f",hostfwd=tcp:127.0.0.1:{ssh_port}-:22" if ssh_port else ""
        nic = f"user,id=net,net={network}{forward}" + "".join(
            f",guestfwd=tcp:{server.address}:{server.port}-cmd:{shlex.join(server.command)}" for server in servers
        )
        self.console = DISKS / f"{name}.console"
        self.report = DISKS / f"{name}.report"
        for file in (self.console, self.report):
            file.write_bytes(b"")
        self._errors = DISKS / f"{name}.errors"
        self._command = [*NAMESPACES, "sh", "-ec", LAUNCH, str(TOOLS), *self._emulator(disk, nic, kernel_options)]

    def _emulator(self, disk: Disk, nic: str, kernel_options: str) -> list[str]:
        inside = {file: f"/{file.relative_to(TOOLS)}" for file in (*vars(disk).values(), self.console, self.report)}
        identity = uuid.UUID(f"ec2{uuid.uuid4().hex[3:]}")  # cloud-init recognizes EC2 by this
        return [
            *("qemu-system-x86_64", "-nographic", "-monitor", "none", "-no-reboot"),
            *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"),
            *("-smbios", f"type=1,manufacturer=Amazon EC2,serial={identity},uuid={identity}"),
            *("-kernel", inside[disk.kernel], "-initrd", inside[disk.initrd]),
            *("-append", f"root=/dev/vda rw console=ttyS0 {kernel_options}"),
            *("-drive", f"file={inside[disk.image]},format=raw,if=virtio,snapshot=on"),
            *("-netdev", nic, "-device", f"virtio-net-pci,netdev=net,mac={MAC}"),
            *("-serial", f"file:{inside[self.console]}", "-serial", f"file:{inside[self.report]}"),
        ]

    def wait_for(self, key: str, seconds: float) -> str:
        """Return the value of the first line `key value` of the report, waiting for it.

        Raises LabError, with the console's last lines, if the machine stops or does not report it in time.
        """
        self.wait_until(lambda: key in self.said(), f"report {key!r}", seconds)
        return self.said()[key]

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait until the machine has done `what`. Raises LabError as `wait_for` does."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            if is_so():
                return
            if ended or time.monotonic() > deadline:
                reason = "before it stopped" if ended else f"within {seconds:.0f} s"
                raise LabError(f"The machine {self.name} did not {what} {reason}.\n{self._diagnostics()}")
            time.sleep(0.1)

    def said(self) -> dict[str, str]:
        """Return the values of the report's complete lines so far, by key."""
        lines = [line for line in _text(self.report).splitlines(keepends=True) if line.endswith("\n")]
        return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines)}

    def __enter__(self) -> Self:
        """Boot the machine once no other process of this clone runs one: two at once exceed their boot timeouts."""
        with ExitStack() as stack:
            stack.enter_context(locking.exclusive(locking.MACHINE_LOCK))
            with self._errors.open("w") as errors:
                self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
            self._turn = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the machine as a power cut would."""
        with self._turn:
            self._process.kill()  # unshare --kill-child also kills the commands that connect to servers
            self._process.wait()

    def _diagnostics(self) -> str:
        said = [_text(self._errors), "Console:", *_text(self.console).splitlines()[-40:], "Report:", _text(self.report)]
        return "\n".join(said)


def _text(file: Path) -> str:
    return file.read_text(errors="replace")
