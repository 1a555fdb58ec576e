# SPDX-License-Identifier: Apache-2.0
"""Machines under QEMU that find what an instance of EC2 finds: the firmware's words, and servers at their addresses.

QEMU comes from a Debian root file system below .lab: nothing is installed. It emulates the processor, since a sandbox
may show /dev/kvm and refuse to use it.
"""

import shlex
import subprocess
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from slipway.lab import rootfs
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB

# In here lies what QEMU reads and writes: it sees nothing else.
TOOLS = LAB / f"{rootfs.MACHINE_TOOLS.name}-{rootfs.MACHINE_TOOLS.key}"
DISKS = TOOLS / "srv"
# The link-local network, so that the metadata service has its real address on it.
NETWORK = "169.254.0.0/16"
MAC = "52:54:00:12:34:56"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
LAUNCH = 'mount --rbind /dev "$0/dev"; mount --rbind /proc "$0/proc"; exec chroot "$0" "$@"'


@dataclass(frozen=True)
class Disk:
    """A disk with one root file system, and the kernel in it. Machines leave it as it is."""

    image: Path
    kernel: Path
    initrd: Path

    @classmethod
    def of(cls, root: Path, name: str, size: str = "3G") -> Self:
        """Make the disk of a folder's content. Root may: it reads every file, and keeps the owners."""
        rootfs.unpack(rootfs.MACHINE_TOOLS, TOOLS)
        disk = cls(*(DISKS / f"{name}.{part}" for part in ("disk", "kernel", "initrd")))
        disk.remove()
        for kind, file in (("vmlinuz", disk.kernel), ("initrd.img", disk.initrd)):
            found = sorted((root / "boot").glob(f"{kind}-*"))
            if len(found) != 1:
                raise LabError(f"{root}/boot holds {len(found)} files {kind}-*: one kernel is to be installed there.")
            file.write_bytes(found[0].read_bytes())
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk.image, size], check=True)
        return disk

    def remove(self) -> None:
        for file in (self.image, self.kernel, self.initrd):
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Server:
    """A server that the machine finds at an address and port; the command speaks to it on stdin and stdout."""

    address: str
    port: int
    command: Sequence[str]


def reached_from_here(port: int) -> list[str]:
    """Return the command for a server on the loopback of this machine."""
    return ["nc", "127.0.0.1", str(port)]


class VirtualMachine:
    """A machine that runs until its context ends. Its second serial port is for what tests have it say."""

    def __init__(self, name: str, disk: Disk, servers: Sequence[Server]) -> None:
        self.name = name
        self.console = DISKS / f"{name}.console"
        self.report = DISKS / f"{name}.report"
        for file in (self.console, self.report):
            file.write_bytes(b"")
        self._errors = DISKS / f"{name}.errors"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [*NAMESPACES, "sh", "-ec", LAUNCH, str(TOOLS), *self._emulator(disk, servers)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )

    def _emulator(self, disk: Disk, servers: Sequence[Server]) -> list[str]:
        inside = {file: f"/{file.relative_to(TOOLS)}" for file in (*vars(disk).values(), self.console, self.report)}
        identity = uuid.UUID(f"ec2{uuid.uuid4().hex[3:]}")  # by this cloud-init knows where it is
        forwards = "".join(
            f",guestfwd=tcp:{server.address}:{server.port}-cmd:{shlex.join(server.command)}" for server in servers
        )
        return [
            *("qemu-system-x86_64", "-nographic", "-monitor", "none", "-no-reboot"),
            *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"),
            *("-smbios", f"type=1,manufacturer=Amazon EC2,serial={identity},uuid={identity}"),
            *("-kernel", inside[disk.kernel], "-initrd", inside[disk.initrd]),
            *("-append", "root=/dev/vda rw console=ttyS0"),
            *("-drive", f"file={inside[disk.image]},format=raw,if=virtio,snapshot=on"),
            *("-netdev", f"user,id=net,net={NETWORK}{forwards}", "-device", f"virtio-net-pci,netdev=net,mac={MAC}"),
            *("-serial", f"file:{inside[self.console]}", "-serial", f"file:{inside[self.report]}"),
        ]

    def wait_for(self, key: str, seconds: float) -> str:
        """Return the value of the first line `key value` of the report, waiting for it.

        Raises LabError, with the console's last lines, when the machine ends or does not say it in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            said = self.said()
            if key in said:
                return said[key]
            if ended or time.monotonic() > deadline:
                reason = "has ended and" if ended else f"within {seconds:.0f} s"
                raise LabError(f"The machine {self.name} {reason} did not say {key!r}.\n{self._last_words()}")
            time.sleep(0.1)

    def said(self) -> dict[str, str]:
        """Return the values of the report's lines so far, by key; a line that has not ended is none."""
        lines = [line for line in _text(self.report).splitlines(keepends=True) if line.endswith("\n")]
        return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the machine as a power cut does."""
        self._process.kill()  # unshare --kill-child: the commands that speak to servers go, too
        self._process.wait()

    def _last_words(self) -> str:
        said = [_text(self._errors), "Console:", *_text(self.console).splitlines()[-40:], "Report:", _text(self.report)]
        return "\n".join(said)


def _text(file: Path) -> str:
    return file.read_text(errors="replace")
