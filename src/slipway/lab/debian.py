# SPDX-License-Identifier: Apache-2.0
"""Debian's archive as configured in this machine's apt, so that the project names no mirror.

Only the sources and the network settings of apt are used, not its lists, pins or installed packages: `apt-get update`
need not have run on the machine.
"""

import getpass
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from slipway.lab import atomic_folder, disk, locking
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB
from slipway.lab.progress import say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURE = "amd64"
# A suite name: the release, and a suffix for updates.
SUITE = re.compile(r"(stable|oldstable|testing|sid|unstable|bookworm|trixie|forky)(|-updates|-security)")
MAIN = ""
NEEDED = "The offline lab and the private engine are built from Debian packages and need a Debian machine"
REMEDY = "Start a Docker engine and use LAB=online, or run the lab on such a machine."
_unpacking = threading.Lock()  # threads of one command wait without a word about another one


@dataclass(frozen=True)
class Archive:
    """The release configured in this machine's apt, and the archive address of each suite, by suffix."""

    release: str
    addresses: dict[str, str]

    def sources(self, release: str) -> str:
        """Return the one-line apt sources of a release, such as bookworm, with its updates."""
        return "".join(
            f"deb [arch={ARCHITECTURE} signed-by={KEYRING}] {address} {release}{suffix} main\n"
            for suffix, address in self.addresses.items()
        )


@cache
def archive() -> Archive:
    """Return Debian's archive as configured in this machine's apt.

    Raises LabError if this is not a Debian machine.
    """
    if not shutil.which("apt-get") or not KEYRING.exists():
        raise LabError(f"{NEEDED} with apt-get and {KEYRING} (package debian-archive-keyring). {REMEDY}")
    architecture = output("dpkg", "--print-architecture").strip()
    if architecture != ARCHITECTURE:
        raise LabError(f"{NEEDED} of architecture {ARCHITECTURE}; this one is {architecture}. {REMEDY}")
    known = _configured_archives()
    if not known:
        raise LabError("/etc/apt/sources.list* on this machine contains no Debian archive: add one, then run again.")
    return known[0] if len(known) == 1 else next(filter(_is_signed_by_debian, known), known[0])


def _configured_archives() -> list[Archive]:
    """Return the candidates for Debian's archive: other publishers use the same suite names."""
    fields = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    # Without --no-release-info, apt lists only archives whose lists it has downloaded.
    targets = output("apt-get", "indextargets", "--no-release-info", "--format", fields, "Target-Of: deb")
    named: dict[str, list[tuple[str, str]]] = {MAIN: [], "-updates": [], "-security": []}
    for target in dict.fromkeys(targets.splitlines()):
        address, suite, component = target.rsplit(maxsplit=2)  # the address of a CD has blanks
        known = SUITE.fullmatch(suite)
        if known and component == "main" and not address.startswith("cdrom:"):
            named[known[2]].append((known[1], address))
    later = {suffix: found[0][1] for suffix, found in named.items() if suffix != MAIN and found}
    return [Archive(release, {MAIN: address, **later}) for release, address in named[MAIN]]


def _is_signed_by_debian(candidate: Archive) -> bool:
    """Return whether Debian's key has signed the archive."""
    main = Archive(candidate.release, {MAIN: candidate.addresses[MAIN]})
    try:
        with _apt(main, candidate.release) as apt:
            apt("update")
    except LabError:
        return False
    return True


def download(packages: list[str], release: str, into: Path) -> None:
    """Download packages of a release, without installing them or touching apt's own lists. Raises LabError."""
    into.mkdir(parents=True, exist_ok=True)
    with _apt(archive(), release) as apt:
        apt("update")
        apt("download", *packages, cwd=into)


@contextmanager
def _apt(source: Archive, release: str) -> Iterator[Callable[..., str]]:
    """Provide an apt-get with its own lists, for which no package is installed."""
    LAB.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="apt-", dir=LAB) as name:
        state = Path(name)
        (state / "lists/partial").mkdir(parents=True)
        (state / "sources.list").write_text(source.sources(release))
        options = {
            # Ignore the machine's own settings, such as hooks.
            "Dir::Etc::Main": "/dev/null",
            "Dir::Etc::Parts": "/dev/null",
            "Dir::Etc::SourceList": state / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": state / "lists",
            "Dir::State::status": "/dev/null",  # otherwise apt looks for the installed version only
            "Dir::Cache::pkgcache": state / "pkgcache.bin",
            "Dir::Cache::srcpkgcache": state / "srcpkgcache.bin",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "",  # the user _apt cannot write below the clone
            "APT::Update::Error-Mode": "any",  # otherwise an unreachable archive is not an error
        }
        configuration = state / "apt.conf"
        configuration.write_text(
            network_settings() + "".join(f'{name} "{value}";\n' for name, value in options.items())
        )
        yield partial(output, "apt-get", "--quiet", env={**os.environ, "APT_CONFIG": str(configuration)})


def network_settings() -> str:
    """Return this machine's network settings of apt (proxies, certificates, passwords), as lines of apt.conf."""
    settings = output("apt-config", "dump", "--no-empty", "--format", '%F "%v";%n', "Acquire")
    kept = [line for line in settings.splitlines() if not line.startswith("Acquire::IndexTargets")]
    files = ['Dir::Etc::NetRC "/etc/apt/auth.conf";', 'Dir::Etc::NetRCParts "/etc/apt/auth.conf.d/";']
    return "\n".join([*kept, *files, ""])


def _mmdebstrap() -> Path:
    """Return the path of mmdebstrap: the installed one, or one unpacked below .lab.

    Raises LabError if it does not run.
    """
    installed = shutil.which("mmdebstrap")
    if installed:
        return Path(installed)
    folder = LAB / "mmdebstrap"
    program = folder / "usr/bin/mmdebstrap"
    with _unpacking, locking.exclusive(locking.building("mmdebstrap")):
        if not folder.exists():
            say("mmdebstrap is not installed: unpacking Debian's package below .lab")
            with atomic_folder.create(folder) as unpacked:
                download(["mmdebstrap"], archive().release, unpacked)
                (package,) = unpacked.glob("*.deb")
                output("dpkg", "-x", str(package), str(unpacked))
    tried = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise LabError(
            f"mmdebstrap does not run: `apt-get install mmdebstrap` installs its dependencies. {tried.stderr[-500:]}"
        )
    return program


def bootstrap(include: list[str], into: Path, extra: list[str], release: str) -> None:
    """Create a root file system with the packages: a tar archive if `into` is named *.tar, else a folder."""
    _require_user_namespaces()
    mmdebstrap = _mmdebstrap()
    with tempfile.TemporaryDirectory(prefix="apt-", dir=LAB) as name:
        sources, settings = Path(name, "sources.list"), Path(name, "apt.conf")
        sources.write_text(archive().sources(release))
        settings.write_text(network_settings())
        command = [
            str(mmdebstrap),
            "--variant=minbase",
            f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
            f"--include={','.join(include)}",
            *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale", "info")),
            "--dpkgopt=force-unsafe-io",  # the root is disposable; with fsync, a slow disk takes minutes
            f"--aptopt={settings}",
            '--customize-hook=rm "$1/etc/apt/apt.conf.d/99mmdebstrap"',  # the network settings of this machine
            *extra,
            release,
            str(into),
            str(sources),
        ]
        # mmdebstrap calls its own helper mmtarfilter by name.
        path = f"{mmdebstrap.parent}:{os.environ['PATH']}"
        output(*command, within=_own_mounts(), env={**os.environ, "PATH": path}, umask=0o022)


def _own_mounts() -> list[str]:
    """Return what to run mmdebstrap within, so that its mounts go with it.

    If it is killed, /proc and /sys of this machine would stay mounted below the unfinished root, which is then removed.
    """
    command = ["unshare", "--mount"]
    permitted = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if permitted else []


def _require_user_namespaces() -> None:
    """Raise LabError if this user is not root and mmdebstrap cannot create a user namespace."""
    if os.geteuid() == 0:
        return
    user = getpass.getuser()
    subordinates = Path("/etc/subuid")
    allowed = subordinates.exists() and f"\n{user}:" in "\n" + subordinates.read_text()
    if not (allowed and shutil.which("newuidmap")):
        raise LabError(
            "The offline lab creates root file systems; without root, that needs newuidmap (Debian package uidmap) and "
            f"a line for {user} in /etc/subuid and /etc/subgid: add both, or use LAB=online."
        )


def output(
    *command: str,
    within: Sequence[str] = (),
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    umask: int = -1,
) -> str:
    """Run a program, within another one, and return its output. Raises LabError with the cause and the remedy."""
    done = subprocess.run(
        [*within, *command], cwd=cwd, env=env, umask=umask, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LabError(_reason(Path(command[0]).name, done.stderr))
    return done.stdout


def _reason(program: str, stderr: str) -> str:
    """Return the cause and the remedy for the errors printed by a program, such as apt or one that runs it."""
    full = disk.full(program, stderr)
    if full:
        return full
    (first, *_) = [*re.findall(r"^E: (.+)", stderr, re.MULTILINE), stderr[-2000:].strip() or "no reason given"]
    if "have a Release file" in stderr or " 404 " in stderr:
        return (
            f"The mirror in /etc/apt/sources.list* lacks a release that the lab needs (bookworm, trixie and forky): "
            f"{first} Configure a mirror that has them, then run again."
        )
    if "Failed to fetch" in stderr:
        return (
            f"apt cannot download ({first}): make `apt-get update` work here (network, proxy, clock), then run again."
        )
    return f"{program} failed: {stderr[-2000:].strip()}"
