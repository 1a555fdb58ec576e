# SPDX-License-Identifier: Apache-2.0
"""A private Docker engine of the lab, for machines without one.

It runs in separate namespaces (mounts, processes, network) on a Debian root file system below .lab and leaves nothing
on the machine: no packages, no bridge, no firewall rules, no processes.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from slipway.lab import disk, rootfs, storage
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB
from slipway.lab.progress import say
from slipway.lab.setting import Setting

ROOT = LAB / "engine"
SOCKET = ROOT / "run/docker.sock"
ADDRESS = f"unix://{SOCKET}"
LOG = LAB / "engine.log"
PID_FILE = LAB / "engine.pid"
CLIENT = Path(sys.prefix) / "bin/docker"  # in the virtual environment
LAUNCHER = Path(__file__).with_name("private_engine.sh")
CONTROL_GROUPS_SCRIPT = LAUNCHER.with_name("control_groups.sh")
# Control groups of the private engine and of nested engines on a cgroup v1 machine.
CONTROL_GROUPS = ("slipway-lab", "docker")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
LONGEST_SOCKET_PATH = 107  # bytes; sockaddr_un on Linux
START_SECONDS = 30
# Bytes: the images and one host take 2.6 GB; the archives that they are built from, temporarily 1.4 GB.
NEEDED_SPACE = 5 * disk.GB


def is_running() -> bool:
    """Return whether this clone's private engine runs: its processes hold a lock on the pid file."""
    with suppress(OSError), PID_FILE.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def enter_network() -> list[str]:
    """Return the command prefix to enter the network namespace of the engine's published ports. It needs root."""
    pid = _pid()
    if pid is None:
        return []
    engine = Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()
    return ["nsenter", f"--net=/proc/{engine}/ns/net"]


def start(setting: Setting) -> None:
    """Start the engine; `wait` for it. Raises LabError if this machine cannot run it."""
    if len(str(SOCKET)) > LONGEST_SOCKET_PATH:
        raise LabError(f"The path {SOCKET} is too long for a Unix socket: move the clone to a shorter path.")
    if " " in str(SOCKET):  # Ansible's connection docker splits its arguments there, quoted or not
        raise LabError(
            f"The path {SOCKET} has a blank, and Ansible could not tell docker where the engine is: move the clone to "
            "a path without one, or set DOCKER_HOST to an engine on this machine."
        )
    _require_namespaces()
    if not ROOT.exists():
        disk.require(LAB, NEEDED_SPACE, "The lab")
    rootfs.unpack(rootfs.TOOLS, ROOT)
    chosen = storage.choose(ROOT)
    if chosen.message:
        say(chosen.message)
    SOCKET.unlink(missing_ok=True)
    launch = [
        *("unshare", "--mount", "sh", str(CONTROL_GROUPS_SCRIPT), str(ROOT)),
        *("unshare", "--pid", "--fork", "--kill-child"),
        *("sh", str(LAUNCHER), setting, *chosen.arguments(ROOT)),
    ]
    with LOG.open("w") as log, PID_FILE.open("w") as pid_file:
        fcntl.flock(pid_file, fcntl.LOCK_EX)
        subprocess.Popen(
            # The child writes its own pid, so that the next command finds it even if this process is killed now.
            ["sh", "-ec", 'echo $$ >"$0"; exec "$@"', str(PID_FILE), *launch],
            env=environment(setting),
            pass_fds=[pid_file.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o022,
        )
    _link_client()


def wait() -> None:
    """Wait until the started engine listens. Raises LabError with the end of its log if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while "API listen on" not in LOG.read_text():
        if not is_running() or time.monotonic() > deadline:
            raise LabError(f"The private engine did not start:\n{LOG.read_text()[-2000:]}")
        time.sleep(0.1)


def stop() -> None:
    """Stop the engine and everything that it runs, and remove its control groups."""
    pid = _pid()
    if pid:
        os.kill(pid, signal.SIGKILL)  # unshare --kill-child kills the whole process namespace
        while is_running():
            time.sleep(0.05)
        _remove_control_groups()
    if CLIENT.is_symlink():
        CLIENT.unlink()


def _require_namespaces() -> None:
    """Raise LabError if root cannot create namespaces and mounts, as in an unprivileged container."""
    trial = ["unshare", "--mount", "--pid", "--fork", "mount", "--make-rprivate", "/"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise LabError(
            "No Docker engine answers, and root cannot start a private one here, because it may not create namespaces "
            f"and mounts ({tried.stderr.strip()}): run the container with --privileged, or set DOCKER_HOST."
        )


def environment(setting: Setting) -> dict[str, str]:
    """Return dockerd's environment: nothing of this process, such as TMPDIR, except its proxies when online."""
    proxies = [*PROXIES, *(name.upper() for name in PROXIES)] if setting is Setting.ONLINE else []
    return {"PATH": PATH} | {name: os.environ[name] for name in proxies if name in os.environ}


def _pid() -> int | None:
    while is_running():
        with suppress(OSError, ValueError):  # the pid is not written yet
            return int(PID_FILE.read_text())
        time.sleep(0.01)
    return None


def _link_client() -> None:
    """Put the engine's docker client, which Ansible and testinfra need, into the virtual environment if none exists."""
    if not shutil.which("docker") and sys.prefix != sys.base_prefix:
        CLIENT.unlink(missing_ok=True)
        CLIENT.symlink_to(ROOT / "usr/bin/docker")


def _remove_control_groups() -> None:
    hierarchies = Path("/sys/fs/cgroup")
    for hierarchy in (hierarchies, *hierarchies.iterdir()):  # of cgroup v2 and v1
        for name in CONTROL_GROUPS:
            for group, _, _ in os.walk(hierarchy / name, topdown=False):
                with suppress(OSError):  # another engine may still use it
                    Path(group).rmdir()
