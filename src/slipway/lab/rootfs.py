# SPDX-License-Identifier: Apache-2.0
"""The Debian root file systems that the offline lab stands on."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from slipway.lab import debian
from slipway.lab.paths import LAB
from slipway.lab.progress import say


@dataclass(frozen=True)
class Rootfs:
    """A root file system: the packages installed in it, and those that it only carries as .deb files, by suite."""

    name: str
    packages: tuple[str, ...]
    carried: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that change when the definition does."""
        definition = json.dumps([self.packages, self.carried], sort_keys=True)
        return hashlib.sha256(definition.encode()).hexdigest()[:12]

    @property
    def archive(self) -> Path:
        return LAB / f"{self.name}-{self.key}.tar"


# Debian 12 has the versions of systemd, dnf and rpm that EL 9 has; see README, "The lab".
HOST = Rootfs(
    "stand-in-rootfs",
    (
        *("systemd", "systemd-sysv", "dbus", "kmod", "procps", "util-linux", "iproute2", "passwd"),
        *("dnf", "rpm", "python3", "python3-dnf", "python3-rpm", "gnupg", "ca-certificates", "curl"),
        *("sudo", "openssh-server", "iptables", "firewalld"),
        *("libdevmapper1.02.1", "libseccomp2"),  # what dockerd and runc are linked with
        "xfsprogs",  # EL has it: xfs is its default
    ),
)

# A host that boots as a machine; of the stacks that can configure its network it has one.
MACHINE = Rootfs(
    "stand-in-machine-rootfs",
    (
        *HOST.packages,
        *("linux-image-cloud-amd64", "initramfs-tools", "udev", "e2fsprogs"),
        *("cloud-init", "netplan.io", "systemd-resolved"),
    ),
)

# The engine of the lab where the machine has none, the tools that build the stand-in repository,
# and the servers of that and of the stand-in Docker Hub, and the proxy.
TOOLS = Rootfs(
    "lab-tools",
    (
        *("docker.io", "iptables", "iproute2", "slirp4netns"),
        *("rpm", "createrepo-c", "gnupg", "openssl", "python3", "nginx-light", "docker-registry", "ca-certificates"),
        "squid",
    ),
    {
        "bookworm": (
            *("docker.io", "containerd", "runc", "tini", "busybox-static"),
            # For hosts that are mirrors; the libraries are those that a host lacks.
            *("nginx", "nginx-common", "createrepo-c", "libcreaterepo-c0", "libdrpm0", "libzck1", "dnf-plugins-core"),
            # For images: what Debian splits off its python3.11.
            *("python3.11-venv", "python3-pip-whl", "python3-setuptools-whl", "python3-distutils", "python3-lib2to3"),
            # For hosts that pull a site's own playbook.
            *("git", "ansible-core", "python3-cryptography", "python3-cffi-backend", "python3-jinja2"),
            *("python3-markupsafe", "python3-packaging", "python3-resolvelib", "python3-yaml"),
        ),
        "trixie": ("docker.io", "docker-cli", "containerd", "docker-compose", "docker-buildx"),
    },
)

# What emulates a machine, and carries its connections to the lab's servers.
MACHINE_TOOLS = Rootfs("machine-tools", ("qemu-system-x86", "netcat-openbsd"))


def build(rootfs: Rootfs) -> Path:
    """Make the archive of a root file system unless it is there; return its path. Takes about 40 s."""
    if rootfs.archive.exists():
        return rootfs.archive
    say(f"Building the root file system {rootfs.name} from Debian packages (about 40 s)")
    LAB.mkdir(exist_ok=True)
    unfinished = LAB / f"{rootfs.name}.unfinished.tar"
    debian.bootstrap(LAB, list(rootfs.packages), unfinished, _carry(rootfs))
    unfinished.rename(rootfs.archive)
    return rootfs.archive


def _carry(rootfs: Rootfs) -> list[str]:
    """Download the carried packages and return the mmdebstrap options that put them below /srv/slipway/debs."""
    if not rootfs.carried:
        return []
    downloads = LAB / "debs"
    for suite, packages in rootfs.carried.items():
        debian.download(list(packages), suite, downloads / suite)
    return [
        '--customize-hook=mkdir -p "$1/srv/slipway"',
        f"--customize-hook=copy-in {downloads} /srv/slipway",
    ]


def unpack(rootfs: Rootfs, into: Path) -> None:
    """Unpack the archive into a folder, whole or not at all."""
    if into.exists():
        return
    archive = build(rootfs)
    unfinished = into.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", unfinished], check=True)
    unfinished.rename(into)
