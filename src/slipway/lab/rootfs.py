# SPDX-License-Identifier: Apache-2.0
"""The Debian root file systems that the offline lab is built from."""

import hashlib
import json
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from slipway.lab import atomic_folder, debian, locking
from slipway.lab.paths import LAB
from slipway.lab.progress import say


@dataclass(frozen=True)
class Rootfs:
    """A root file system of a release: its packages, and those that it only carries as .deb files, by suite."""

    name: str
    packages: tuple[str, ...]
    carried: dict[str, tuple[str, ...]] = field(default_factory=dict)
    release: str = "bookworm"

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that change with the definition."""
        definition = json.dumps([self.packages, self.carried, self.release], sort_keys=True)
        return hashlib.sha256(definition.encode()).hexdigest()[:12]

    @property
    def archive(self) -> Path:
        return LAB / f"{self.name}-{self.key}.tar"


COMMON = (
    *("systemd", "systemd-sysv", "dbus", "kmod", "procps", "util-linux", "iproute2", "passwd"),
    *("rpm", "python3", "python3-rpm", "gnupg", "ca-certificates", "curl"),
    *("sudo", "openssh-server", "iptables", "firewalld"),
    *("libdevmapper1.02.1", "libseccomp2"),  # linked by dockerd and runc
    "xfsprogs",  # xfs is the default on EL
    *("uidmap", "dbus-user-session", "slirp4netns"),  # for engines of users; every EL has them
)
DNF = ("dnf", "python3-dnf")
# By system of slipway.lab.systems: the release of Debian that has its versions of systemd, dnf and rpm.
HOSTS = {
    "el9": Rootfs("stand-in-rootfs-el9", (*COMMON, *DNF)),
    "el10": Rootfs("stand-in-rootfs-el10", (*COMMON, *DNF), release="trixie"),
    "fedora43": Rootfs("stand-in-rootfs-fedora43", (*COMMON, "dnf5", "python3-libdnf5"), release="forky"),
}

# Hosts that boot as machines, by system, each with one network stack. Debian 13's SELinux policy is the first with
# modules for containers and Docker.
KERNEL = ("linux-image-cloud-amd64", "initramfs-tools", "udev", "e2fsprogs")
SELINUX = ("selinux-policy-default", "policycoreutils", "policycoreutils-python-utils", "selinux-utils", "auditd")
MACHINES = {
    "el9": Rootfs(
        "stand-in-machine-rootfs-el9",
        (*HOSTS["el9"].packages, *KERNEL, "cloud-init", "netplan.io", "systemd-resolved"),
    ),
    "el10": Rootfs(
        "stand-in-machine-rootfs-el10",
        (*HOSTS["el10"].packages, *KERNEL, "systemd-resolved", *SELINUX),
        release="trixie",
    ),
}

# The private engine, the tools that build the stand-in repository, the servers (repository, Docker Hub, proxy),
# systemd-nspawn to boot a folder, and cloud-init to validate user data.
TOOLS = Rootfs(
    "lab-tools",
    (
        *("docker.io", "iptables", "iproute2", "slirp4netns"),
        *("rpm", "createrepo-c", "gnupg", "openssl", "python3", "nginx-light", "docker-registry", "ca-certificates"),
        *("squid", "systemd-container", "cloud-init"),
    ),
    {
        "bookworm": (
            *("docker.io", "containerd", "runc", "tini", "busybox-static", "rootlesskit", "passt"),
            # For hosts that are mirrors; the libraries are those that a host lacks.
            *("nginx", "nginx-common", "createrepo-c", "libcreaterepo-c0", "libdrpm0", "libzck1", "dnf-plugins-core"),
            # For hosts that restrict published ports.
            "nftables",
            # For images: the parts that Debian splits off its python3.11.
            *("python3.11-venv", "python3-pip-whl", "python3-setuptools-whl", "python3-distutils", "python3-lib2to3"),
            # For hosts that pull a playbook with ansible-pull.
            *("git", "ansible-core", "python3-cryptography", "python3-cffi-backend", "python3-jinja2"),
            *("python3-markupsafe", "python3-packaging", "python3-resolvelib", "python3-yaml"),
            # For hosts that audit the engine; the library is one that a host lacks.
            *("auditd", "libauparse0"),
        ),
        "trixie": ("docker.io", "docker-cli", "containerd", "docker-compose", "docker-buildx", "rootlesskit"),
        "forky": ("docker.io", "docker-cli", "containerd", "runc", "docker-compose", "docker-buildx", "rootlesskit"),
    },
)

# The emulator of machines, and netcat to forward their connections to the lab's servers.
MACHINE_TOOLS = Rootfs("machine-tools", ("qemu-system-x86", "netcat-openbsd"))


def build(rootfs: Rootfs) -> Path:
    """Return the archive of a root file system, building it (about 40 s) if it is missing."""
    if rootfs.archive.exists():
        return rootfs.archive
    say(f"Building the root file system {rootfs.name} from Debian packages (about 40 s)")
    LAB.mkdir(exist_ok=True)
    unfinished = LAB / f"{rootfs.name}.unfinished.tar"
    debian.bootstrap(list(rootfs.packages), unfinished, _carry(rootfs), rootfs.release)
    unfinished.rename(rootfs.archive)
    return rootfs.archive


def _carry(rootfs: Rootfs) -> list[str]:
    """Download the carried packages; return the mmdebstrap options that copy them to /srv/slipway/debs."""
    if not rootfs.carried:
        return []
    downloads = LAB / "debs"
    if downloads.exists():  # left by an earlier build, perhaps with other versions
        shutil.rmtree(downloads)
    for suite, packages in rootfs.carried.items():
        debian.download(list(packages), suite, downloads / suite)
    return [
        '--customize-hook=mkdir -p "$1/srv/slipway"',
        f"--customize-hook=copy-in {shlex.quote(str(downloads))} /srv/slipway",
    ]


def unpack(rootfs: Rootfs, into: Path) -> None:
    """Unpack the archive into a folder atomically, unless the folder exists. Raises LabError."""
    with locking.exclusive(locking.building(rootfs.name)):
        if into.exists():
            return
        archive = build(rootfs)
        with atomic_folder.create(into) as folder:
            debian.output("tar", "--extract", "--file", str(archive), "--directory", str(folder))
