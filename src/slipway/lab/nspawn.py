# SPDX-License-Identifier: Apache-2.0
"""Boots a root file system in a folder with systemd-nspawn, on this machine's kernel and without a network.

systemd-nspawn and systemctl come from the lab's tools below .lab, since this machine may have no systemd.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.lab import private_engine, rootfs

BOOT_SECONDS = 120
HALT_SECONDS = 60
# Without a network, this unit would delay the boot by two minutes.
WAIT_FOR_NETWORK = "systemd-networkd-wait-online.service"
# A separate mount namespace, which takes systemd-nspawn's files below /run with it: TOOLS ROOT NAME COMMAND...
IN_NAMESPACE = ("unshare", "--mount", "--propagation=private", "sh", "-ec")
LAUNCH = """
mount --bind "$0" "$0" # pivot_root requires the root to be a mount point
for folder in dev proc sys; do mount --rbind "/$folder" "$0/$folder"; done
for folder in run mnt; do mount -t tmpfs tmpfs "$0/$folder"; done
mkdir "$0/mnt/$2"
mount --bind "$1" "$0/mnt/$2"
cd "$0"
pivot_root . media
umount -l /media
shift 2
exec "$@"
"""


class BootError(Exception):
    """The machine did not boot; the message contains its last output."""


@dataclass(frozen=True)
class Machine:
    """A running machine; init is the process id of its process 1."""

    init: int

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine."""
        entered = ["nsenter", f"--target={self.init}", "--all", *command]
        return subprocess.run(entered, capture_output=True, text=True, check=False)

    def output(self, *command: str) -> str:
        """Run a command in the machine and return its output. Raises RuntimeError if it fails."""
        done = self.run(*command)
        if done.returncode:
            raise RuntimeError(f"{command} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def journal(self, unit: str) -> str:
        """Return what the journal has of a unit, including what was written last."""
        self.output("journalctl", "--sync")
        return self.output("journalctl", f"--unit={unit}", "--output=cat")


@contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """Boot the folder, wait until the boot is complete, and power the machine off at the end of the block.

    The machine's changes stay in the folder. Raises BootError.
    """
    log = root.with_name(f"{root.name}.log")
    tool = [
        "systemd-nspawn",
        "--register=no",
        "--keep-unit",
        "--private-network",
        "--console=pipe",
        "--link-journal=no",
    ]
    with log.open("w") as stream:
        nspawn = subprocess.Popen(
            [*_among_tools(root), *tool, f"--directory=/mnt/{root.name}", "--boot", f"systemd.mask={WAIT_FOR_NETWORK}"],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        yield _wait(nspawn, log)
    finally:
        _power_off(nspawn)


def systemctl(root: Path, *arguments: str) -> str:
    """Run systemctl of the lab's tools on the files of a folder, booted or not, and return its output."""
    command = [*_among_tools(root), "systemctl", f"--root=/mnt/{root.name}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _among_tools(root: Path) -> list[str | Path]:
    """Return the start of a command of the lab's tools, which finds the folder below /mnt under its name."""
    rootfs.unpack(rootfs.TOOLS, private_engine.ROOT)
    return [*IN_NAMESPACE, LAUNCH, private_engine.ROOT, root, root.name]


def _wait(nspawn: subprocess.Popen[bytes], log: Path) -> Machine:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and nspawn.poll() is None:
        # The first child only creates the machine's namespaces.
        for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
            machine = Machine(int(child))
            state = machine.run("systemctl", "is-system-running").stdout.strip()
            if state in ("running", "degraded"):
                return machine
        time.sleep(0.3)
    raise BootError(f"The machine did not boot within {BOOT_SECONDS} s:\n{log.read_text()[-2000:]}")


def _power_off(nspawn: subprocess.Popen[bytes]) -> None:
    nspawn.terminate()
    try:
        nspawn.wait(HALT_SECONDS)
    except subprocess.TimeoutExpired:
        nspawn.terminate()  # the second signal powers it off at once
        nspawn.wait()
