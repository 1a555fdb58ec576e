# SPDX-License-Identifier: Apache-2.0
"""Boots a root file system in a folder by systemd-nspawn: a machine with the kernel of this one and no network."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.lab import debian
from slipway.lab.paths import LAB

BOOT_SECONDS = 120
HALT_SECONDS = 60
# There is no network, for which a boot would wait two minutes.
WAIT_FOR_NETWORK = "systemd-networkd-wait-online.service"
# In a mount namespace of its own, so that what systemd-nspawn keeps below /run goes with it.
APART = ["unshare", "--mount", "--propagation=private", "sh", "-ec", 'mount -t tmpfs tmpfs /run; exec "$@"', "sh"]


class BootError(Exception):
    """The machine did not boot; the message is what it said last."""


@dataclass(frozen=True)
class Machine:
    """A machine that runs, by the process that is its first."""

    init: int

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine."""
        entered = ["nsenter", f"--target={self.init}", "--all", *command]
        return subprocess.run(entered, capture_output=True, text=True, check=False)

    def output(self, *command: str) -> str:
        """Run a command in the machine that must succeed; return what it printed."""
        done = self.run(*command)
        if done.returncode:
            raise RuntimeError(f"{command} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()


@contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """Boot the folder, wait until nothing is left to start, and power the machine off at the end of the block.

    What the machine writes stays in the folder. Raises BootError.
    """
    log = root.with_name(f"{root.name}.log")
    tool = Path(debian.tool(LAB, "systemd-nspawn", "systemd-container", "libsystemd-shared"))
    libraries = tool.parents[1] / "lib" / f"{os.uname().machine}-linux-gnu/systemd"
    alone = ["--register=no", "--keep-unit", "--private-network", "--console=pipe"]
    with log.open("w") as stream:
        nspawn = subprocess.Popen(
            [*APART, tool, *alone, f"--directory={root}", "--boot", f"systemd.mask={WAIT_FOR_NETWORK}"],
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        yield _wait(nspawn, log)
    finally:
        _power_off(nspawn)


def _wait(nspawn: subprocess.Popen[bytes], log: Path) -> Machine:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and nspawn.poll() is None:
        # It has another child first, which makes the machine's namespaces.
        for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
            machine = Machine(int(child))
            state = machine.run("systemctl", "is-system-running").stdout.strip()
            if state in ("running", "degraded"):
                return machine
        time.sleep(0.3)
    raise BootError(f"The machine has not booted within {BOOT_SECONDS} s:\n{log.read_text()[-2000:]}")


def _power_off(nspawn: subprocess.Popen[bytes]) -> None:
    nspawn.terminate()
    try:
        nspawn.wait(HALT_SECONDS)
    except subprocess.TimeoutExpired:
        nspawn.terminate()  # the second time at once
        nspawn.wait()
