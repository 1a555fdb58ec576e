# SPDX-License-Identifier: Apache-2.0
"""A Docker engine of the lab's own, for machines that have none.

It lives in namespaces of its own (mounts, processes, network) on a Debian root file system below .lab, so that the
machine is as it was when it is gone: no package installed, no bridge, no firewall rule, no process.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from slipway.lab import rootfs
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB
from slipway.lab.setting import Setting

ROOT = LAB / "engine"
SOCKET = ROOT / "run/docker.sock"
ADDRESS = f"unix://{SOCKET}"
LOG = LAB / "engine.log"
PID_FILE = LAB / "engine.pid"
CLIENT = Path(sys.prefix) / "bin/docker"  # in the virtual environment
LAUNCHER = Path(__file__).with_name("private_engine.sh")
# Where the nested engines and the lab's own put their control groups on a cgroup v1 machine.
CONTROL_GROUPS = ("slipway-lab", "docker")
LONGEST_SOCKET_PATH = 107  # bytes, of sockaddr_un on Linux
START_SECONDS = 30


def is_running() -> bool:
    """Tell whether the private engine of this clone runs."""
    return _pid() is not None


def inside_its_network() -> list[str]:
    """Return what to put before a command that is to be where the engine's published ports are. Root may run it."""
    pid = _pid()
    if pid is None:
        return []
    engine = Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()
    return ["nsenter", f"--net=/proc/{engine}/ns/net"]


def start(setting: Setting) -> None:
    """Start the engine and wait until it listens. Raises LabError, with the engine's last words, if it does not."""
    if len(str(SOCKET)) > LONGEST_SOCKET_PATH:
        raise LabError(f"The path {SOCKET} is too long for a socket: move the clone to a shorter path.")
    rootfs.unpack(rootfs.TOOLS, ROOT)
    SOCKET.unlink(missing_ok=True)
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    with LOG.open("w") as log:
        engine = subprocess.Popen(
            [*namespaces, "sh", str(LAUNCHER), str(ROOT), setting],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    PID_FILE.write_text(str(engine.pid))
    _link_client()
    deadline = time.monotonic() + START_SECONDS
    while "API listen on" not in LOG.read_text():
        if engine.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"The private engine did not start:\n{LOG.read_text()[-2000:]}")
        time.sleep(0.1)


def stop() -> None:
    """Stop the engine with all that it runs, and remove its control groups."""
    pid = _pid()
    if pid:
        os.kill(pid, signal.SIGKILL)  # unshare --kill-child: the whole process namespace goes with it
        while is_running():
            time.sleep(0.05)
        _remove_control_groups()
    if CLIENT.is_symlink():
        CLIENT.unlink()


def _pid() -> int | None:
    with suppress(OSError, ValueError):
        pid = int(PID_FILE.read_text())
        if str(LAUNCHER) in Path(f"/proc/{pid}/cmdline").read_text():
            return pid
    return None


def _link_client() -> None:
    """Ansible and testinfra reach the hosts through the docker client: lend them the engine's where there is none."""
    if not shutil.which("docker") and sys.prefix != sys.base_prefix:
        CLIENT.unlink(missing_ok=True)
        CLIENT.symlink_to(ROOT / "usr/bin/docker")


def _remove_control_groups() -> None:
    for hierarchy in Path("/sys/fs/cgroup").iterdir():
        for name in CONTROL_GROUPS:
            for group, _, _ in os.walk(hierarchy / name, topdown=False):
                with suppress(OSError):  # one that another engine uses is not empty, and stays
                    Path(group).rmdir()
