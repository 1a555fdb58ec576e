# SPDX-License-Identifier: Apache-2.0
"""Debian's archive as this machine's apt knows it: no mirror's address is written into the project."""

import getpass
import os
import shutil
import subprocess
import threading
from pathlib import Path

from slipway.lab.errors import LabError
from slipway.lab.progress import say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The names under which a machine's apt may know its Debian archive.
RELEASES = {"stable", "oldstable", "testing", "bullseye", "bookworm", "trixie", "forky", "sid"}
_unpacking = threading.Lock()


def mirror() -> str:
    """Return the address of the Debian archive that this machine's apt uses.

    Raises LabError where this is no Debian machine.
    """
    if not shutil.which("apt-get") or not KEYRING.exists():
        raise LabError(
            "The offline lab is built from Debian packages and needs a Debian machine (apt-get and "
            f"{KEYRING}). Use LAB=online here, or run the lab on Debian."
        )
    targets = _output("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)")
    for target in targets.splitlines():
        address, release, component = target.split()
        if release in RELEASES and component == "main":
            return address
    raise LabError("apt on this machine names no Debian archive in /etc/apt/sources.list*: add one, then run again.")


def source(suite: str) -> str:
    """Return the one-line apt source of a suite, such as bookworm, at this machine's mirror."""
    return f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n"


def download(packages: list[str], suite: str, into: Path) -> None:
    """Download packages of a suite, without installing them or touching apt's own lists."""
    into.mkdir(parents=True, exist_ok=True)
    state = into.parent / f".apt-{suite}"
    (state / "lists/partial").mkdir(parents=True, exist_ok=True)
    (state / "sources.list").write_text(source(suite))
    private = [
        f"-oDir::Etc::SourceList={state / 'sources.list'}",
        "-oDir::Etc::SourceParts=/dev/null",
        f"-oDir::State::Lists={state / 'lists'}",
        f"-oDir::Cache::pkgcache={state / 'pkgcache.bin'}",
        f"-oDir::Cache::srcpkgcache={state / 'srcpkgcache.bin'}",
        "-oAPT::Sandbox::User=",  # apt's own user may not write below the clone
    ]
    _output("apt-get", "-q", *private, "update", cwd=into)
    _output("apt-get", "-q", *private, "download", *packages, cwd=into)
    shutil.rmtree(state)


def tool(lab: Path, program: str, *packages: str) -> str:
    """Return the path of a program: the machine's, or else of packages unpacked below the lab; none is installed."""
    installed = shutil.which(program)
    if installed:
        return installed
    unpacked = lab / program
    with _unpacking:
        if not unpacked.exists():
            say(f"{program} is not installed here: unpacking Debian's package below .lab")
            unfinished = lab / f"{program}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            download(list(packages), "bookworm", unfinished)
            for package in unfinished.glob("*.deb"):
                _output("dpkg", "-x", str(package), str(unfinished))
            unfinished.rename(unpacked)
    return str(unpacked / "usr/bin" / program)


def bootstrap(lab: Path, include: list[str], archive: Path, extra: list[str]) -> None:
    """Make a bookworm root file system with the packages in it, as a tar archive."""
    _require_user_namespaces()
    mmdebstrap = tool(lab, "mmdebstrap", "mmdebstrap")
    sources = archive.with_suffix(".list")
    sources.write_text(source("bookworm"))
    command = [
        mmdebstrap,
        "--quiet",
        "--variant=minbase",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        f"--include={','.join(include)}",
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale", "info")),
        *extra,
        "bookworm",
        str(archive),
        str(sources),
    ]
    # mmdebstrap calls its own helper mmtarfilter by name.
    _output(*command, env={**os.environ, "PATH": f"{Path(mmdebstrap).parent}:{os.environ['PATH']}"})
    sources.unlink()


def _require_user_namespaces() -> None:
    """Without root, mmdebstrap becomes root of a user namespace. Raises LabError where it cannot."""
    user = getpass.getuser()
    subordinates = Path("/etc/subuid")
    allowed = subordinates.exists() and f"\n{user}:" in "\n" + subordinates.read_text()
    if os.geteuid() != 0 and not (allowed and shutil.which("newuidmap")):
        raise LabError(
            "The offline lab makes root file systems, and without root that takes newuidmap (Debian: package uidmap) "
            f"and a line for {user} in /etc/subuid and /etc/subgid. Install them, or use LAB=online."
        )


def _output(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{Path(command[0]).name} failed with status {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
