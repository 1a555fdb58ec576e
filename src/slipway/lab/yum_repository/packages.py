# SPDX-License-Identifier: Apache-2.0
"""Which packages the stand-in repository has, and of which files of Debian's packages they are made."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Package:
    """A package to build from specs/<name>.spec; files: path in the package -> suite:path, or source:path here."""

    name: str
    version: str
    files: dict[str, str] = field(default_factory=dict)


def _units(*names: str) -> dict[str, str]:
    return {f"/usr/lib/systemd/system/{name}": f"source:units/{name}" for name in names}


def _engine(suite: str) -> dict[str, str]:
    return {
        "/usr/bin/dockerd": f"{suite}:usr/sbin/dockerd",
        "/usr/bin/docker-proxy": f"{suite}:usr/sbin/docker-proxy",
        "/usr/bin/docker-init": "bookworm:usr/bin/tini-static",
        **_units("docker.service", "docker.socket"),
    }


def _client(suite: str) -> dict[str, str]:
    return {"/usr/bin/docker": f"{suite}:usr/bin/docker"}


def _containerd(suite: str) -> dict[str, str]:
    return {
        "/usr/bin/containerd": f"{suite}:usr/bin/containerd",
        "/usr/bin/containerd-shim-runc-v2": f"{suite}:usr/bin/containerd-shim-runc-v2",
        "/usr/bin/ctr": f"{suite}:usr/bin/ctr",
        "/usr/bin/runc": "bookworm:usr/sbin/runc",  # Debian 13's runs on no older libc
        **_units("containerd.service"),
    }


def _rootless(suite: str) -> dict[str, str]:
    scripts = ("dockerd-rootless.sh", "dockerd-rootless-setuptool.sh")
    return {f"/usr/bin/{name}": f"{suite}:usr/share/docker.io/contrib/{name}" for name in scripts}


def _plugin(name: str) -> dict[str, str]:
    path = f"usr/libexec/docker/cli-plugins/docker-{name}"
    return {f"/{path}": f"trixie:{path}"}


# Packages of the distribution, not of Docker.
OF_THE_DISTRIBUTION = ("centos-stream-release", "podman-docker", "runc")

ALL = (
    Package("docker-ce", "20.10.24", _engine("bookworm")),
    Package("docker-ce", "26.1.5", _engine("trixie")),
    Package("docker-ce-cli", "20.10.24", _client("bookworm")),
    Package("docker-ce-cli", "26.1.5", _client("trixie")),
    Package("containerd.io", "1.6.20", _containerd("bookworm")),
    Package("containerd.io", "1.7.24", _containerd("trixie")),
    Package("docker-ce-rootless-extras", "20.10.24", _rootless("bookworm")),
    Package("docker-ce-rootless-extras", "26.1.5", _rootless("trixie")),
    Package("docker-buildx-plugin", "0.13.1", _plugin("buildx")),
    Package("docker-compose-plugin", "2.26.1", _plugin("compose")),
    # The historic all-in-one, under its name; the engine in it is Debian 12's.
    Package("docker-engine", "20.10.24", {**_engine("bookworm"), **_client("bookworm"), **_containerd("bookworm")}),
    Package("centos-stream-release", "9.0"),
    Package("podman-docker", "4.9.4"),
    Package("runc", "1.1.12"),
)
