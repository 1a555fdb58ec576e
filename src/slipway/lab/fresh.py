# SPDX-License-Identifier: Apache-2.0
"""Runs the README's commands on a fresh machine: a newly created Debian root file system.

The root has Python, make, git and ca-certificates; `apt-get update` never ran in it. It is below .lab and runs in
namespaces with the network of this machine, and with its settings of proxies, mirrors and certificates. Only committed
files are tested.
"""

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from slipway.lab import debian
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.progress import say

LAUNCHER = Path(__file__).with_name("fresh.sh")
COMMANDS = ("make up check",)
PACKAGES = ("python3", "make", "git", "ca-certificates")
CLONE = "/srv/slipway"  # of root
USER, USER_ID, USER_CLONE = "alice", 1000, "/home/alice/slipway"
USER_PATH = "/usr/local/bin:/usr/bin:/bin"
ROOT_PATH = f"/usr/local/sbin:/usr/sbin:/sbin:{USER_PATH}"
# Network settings of programs (proxies, certificates); their values may name files.
NETWORK_VARIABLE = re.compile(r"(https?|ftp|all|no)_proxy|(ssl|requests|curl|pip|git_ssl)_\w+", re.IGNORECASE)
NETWORK_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/apt/auth.conf", "/etc/apt/auth.conf.d")
PIP_CACHE = "/var/cache/pip"


@dataclass(frozen=True)
class Machine:
    """A kind of fresh machine: the Debian release, packages in addition to PACKAGES, and the user's setup."""

    release: str
    packages: tuple[str, ...] = ()
    as_user: bool = False
    umask: int = 0o022


MACHINES = {
    "bookworm": Machine("bookworm", ("python3-venv",)),
    # `make setup` installs python3-venv.
    "trixie": Machine("trixie", umask=0o077),
    # Without root, the lab needs an engine, packages that only root can install, and user namespaces.
    "bookworm-user": Machine("bookworm", ("python3-venv", "docker.io", "uidmap"), as_user=True),
}


@dataclass(frozen=True)
class Session:
    """A user's shell in a clone on a fresh machine."""

    enter: tuple[str, ...]
    clone: str
    environment: dict[str, str]
    umask: int = 0o022

    def run(self, command: str) -> None:
        """Run a shell command in the clone. Raises LabError if it fails."""
        in_clone = ["sh", "-c", f"cd {shlex.quote(self.clone)} && {command}"]
        done = subprocess.run(
            [*self.enter, *in_clone], env=self.environment, umask=self.umask, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise LabError(
                f"`{command}` failed on a fresh machine with status {done.returncode}: see its output above."
            )


def main() -> int:
    """Run the commands on each machine; print a LabError as one message and return 1."""
    parser = argparse.ArgumentParser(prog="slipway.lab.fresh", description=__doc__)
    parser.add_argument("--machine", action="append", choices=MACHINES, help="only this machine; may be repeated")
    parser.add_argument("commands", nargs="*", default=COMMANDS, help=f"instead of: {', '.join(COMMANDS)}")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        for name in arguments.machine or MACHINES:
            prove(name, arguments.commands)
    except LabError as error:
        print(f"slipway: {error}", file=sys.stderr)
        return 1
    return 0


def prove(name: str, commands: Sequence[str]) -> None:
    """Run commands in a clone on a fresh machine, then `make down`. Raises LabError if one fails."""
    if os.geteuid() != 0:
        raise LabError(
            "A fresh machine is a root file system in namespaces, which only root can create: run this as root."
        )
    machine = MACHINES[name]
    with _root(name, machine) as root, _running(root) as enter:
        _clone(root, CLONE, machine.umask)
        variables = {**_network_variables(), "HOME": "/root", "PATH": ROOT_PATH, "LAB": os.environ.get("LAB", "auto")}
        sessions = [Session(enter, CLONE, variables, machine.umask)]
        try:
            if machine.as_user:
                sessions.insert(0, _user_with_an_engine(root, sessions[0]))
            for command in commands:
                say(f"{name}: {command}")
                started = time.monotonic()
                sessions[0].run(command)
                say(f"{name}: {command} took {time.monotonic() - started:.0f} s")
        finally:
            for session in sessions:
                with suppress(LabError):
                    session.run("make down")


@contextmanager
def _root(name: str, machine: Machine) -> Iterator[Path]:
    """Create a root file system without apt lists, and remove it at the end."""
    LAB.mkdir(exist_ok=True)
    root = LAB / f"fresh-{name}"
    shutil.rmtree(root, ignore_errors=True)
    say(f"{name}: creating a fresh Debian root file system below .lab (about 30 s)")
    hook = f'chroot "$1" useradd --create-home --uid={USER_ID} {USER}'
    try:
        debian.bootstrap([*PACKAGES, *machine.packages], root, [f"--customize-hook={hook}"], machine.release)
        (root / "etc/apt/apt.conf.d/99network").write_text(debian.network_settings())
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _running(root: Path) -> Iterator[tuple[str, ...]]:
    """Start namespaces in the root; yield the prefix of commands to run there."""
    # The namespaces live until this process ends, since that closes stdin. A shell, to reap orphaned processes.
    until_the_end = ["sh", "-c", "cat; exit"]
    cache, inside = _pip_cache(), root / PIP_CACHE.lstrip("/")
    inside.mkdir(parents=True, exist_ok=True)
    init = subprocess.Popen(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("sh", str(LAUNCHER), str(root), str(cache), str(inside), *_network_files(), "--", *until_the_end),
        ],
        stdin=subprocess.PIPE,
    )
    try:
        yield ("nsenter", f"--target={_child(init)}", "--mount", "--pid")
    finally:
        init.communicate()  # this ends the shell, and with it everything in the namespaces


def _child(init: subprocess.Popen[bytes]) -> str:
    """Wait until the launcher has executed its command; return the process id."""
    children = Path(f"/proc/{init.pid}/task/{init.pid}/children")
    while init.poll() is None:
        for child in children.read_text().split():
            if str(LAUNCHER) not in Path(f"/proc/{child}/cmdline").read_text():
                return child
        time.sleep(0.05)
    raise LabError("Namespaces for a fresh machine cannot be created: root needs the capability CAP_SYS_ADMIN.")


def _clone(root: Path, into: str, umask: int) -> None:
    say(f"git clone into {into}")
    # This clone may belong to another user.
    trusted = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    command = ["git", "clone", "--quiet", "--depth=1", f"file://{PROJECT}", f"{root}{into}"]
    subprocess.run(command, env=os.environ | trusted, umask=umask, check=True)


def _user_with_an_engine(root: Path, administrator: Session) -> Session:
    """Start an engine as root; return the session of a user who may use it, in another clone."""
    start = "from slipway.lab import engine; engine.find_or_start('offline')"
    administrator.run(f'make setup && .venv/bin/python -c "{start}"')
    socket = f"{administrator.clone}/.lab/engine/run/docker.sock"
    _clone(root, USER_CLONE, administrator.umask)
    subprocess.run(["chown", "--recursive", f"{USER_ID}:{USER_ID}", f"{root}{USER_CLONE}"], check=True)
    groups = f"{USER_ID},{Path(f'{root}{socket}').stat().st_gid}"
    become = ("setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", f"--groups={groups}")
    variables = {"HOME": f"/home/{USER}", "USER": USER, "PATH": USER_PATH, "DOCKER_HOST": f"unix://{socket}"}
    return Session((*administrator.enter, *become), USER_CLONE, administrator.environment | variables)


def _network_variables() -> dict[str, str]:
    """Return this machine's network variables, with pip's configuration as variables."""
    settings = re.findall(r"^(?:global|install|:env:)\.(\S+)='(.*)'$", _pip("config", "list"), re.MULTILINE)
    return {
        **{f"PIP_{name.upper().replace('-', '_')}": value.replace("\\n", " ").strip() for name, value in settings},
        **{name: value for name, value in os.environ.items() if NETWORK_VARIABLE.fullmatch(name)},
        "PIP_CACHE_DIR": PIP_CACHE,
    }


def _pip_cache() -> Path:
    """Return the folder of this machine's pip cache; one below .lab if the cache is disabled or cannot be created."""
    with suppress(OSError, subprocess.CalledProcessError):
        cache = Path(_pip("cache", "dir"))
        cache.mkdir(parents=True, exist_ok=True)
        return cache
    cache = LAB / "pip-cache"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _pip(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _network_files() -> list[str]:
    """Return the files and folders that this machine's network settings refer to."""
    words = [word for value in _network_variables().values() for word in value.split()]
    # The files of a local package index are in a folder next to it.
    indexes = [str(Path(word.removeprefix("file://")).parent) for word in words if word.startswith("file:///")]
    paths = [word for word in words if word.startswith("/") and word != PIP_CACHE]
    return [path for path in dict.fromkeys([*NETWORK_FILES, *paths, *indexes]) if Path(path).exists()]


if __name__ == "__main__":
    sys.exit(main())
