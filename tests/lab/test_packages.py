# SPDX-License-Identifier: Apache-2.0
"""Which packages come, and which stand in the way."""

import pytest

from slipway.lab.workbench import LabHost, Workbench

pytestmark = pytest.mark.slow

DISTRIBUTION = "https://download.docker.com/baseos"
HISTORIC = {
    "docker_engine_package": "docker-engine",
    "docker_engine_repo_baseurl": "https://yum.dockerproject.org/repo/main/centos/7",
    "docker_engine_gpg_key": "https://yum.dockerproject.org/gpg",
}


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    return workbench.make("test-packages")


def install_from_distribution(host: LabHost, *packages: str) -> None:
    host.sh(
        f"dnf --assumeyes --quiet --nogpgcheck --repofrompath=distribution,{DISTRIBUTION} install {' '.join(packages)}"
    )


def test_conflicting_packages_are_named_and_replaced_only_when_asked(host: LabHost) -> None:
    """Fault: conflicting packages, podman-docker or runc, are installed. Outcome: named; replaced only when asked for,
    and `/var/lib/docker` is kept.
    """
    install_from_distribution(host, "podman-docker", "runc")
    host.sh("mkdir -p /var/lib/docker; touch /var/lib/docker/precious")
    before = host.sh("rpm --query --all | sort; ls /etc/yum.repos.d")
    refused = host.converge()
    assert refused.status != 0
    for word in ("podman-docker-4.9.4", "runc-1.1.12", "docker_engine_conflicts: replace"):
        assert word in refused.failure(host.name)
    assert host.sh("rpm --query --all | sort; ls /etc/yum.repos.d") == before

    replaced = host.converge(docker_engine_conflicts="replace")
    assert replaced.status == 0, replaced.output
    assert host.sh("docker version --format '{{.Server.Version}}'").startswith("26.1.5")
    assert host.run("rpm", "--query", "podman-docker", "runc")[0] == 2
    assert host.sh("ls /var/lib/docker/precious")


def test_the_historic_package_works_from_a_mirror_that_the_user_names(host: LabHost) -> None:
    run = host.converge(**HISTORIC)
    assert run.status == 0, run.output
    assert "docker-engine-17.05.0.ce" in host.sh("rpm --query docker-engine")
    assert host.sh("docker version --format '{{.Server.Version}}'")
    assert host.converge(**HISTORIC).changed(host.name) == []


def test_an_engine_that_cannot_be_replaced_serves_on(host: LabHost) -> None:
    """Fault: an engine is being replaced and the transaction fails. Outcome: the old engine serves on.

    Without a good signature it is not even stopped; without room for what is unpacked, it is started again.
    """
    assert host.converge(**HISTORIC).status == 0
    host.sh(
        "curl --silent --fail --output /root/key https://download.docker.com/wrong-key/linux/centos/gpg;"
        "rpmkeys --import /root/key"
    )
    packages = host.sh("rpm --query --all | sort")
    pid = host.sh("systemctl show docker.service --property=MainPID")
    run = host.converge(
        docker_engine_conflicts="replace", docker_engine_repo_root="https://download.docker.com/other-signer/linux"
    )
    assert "not signed by a pinned key: docker-ce-cli-26.1.5" in run.failure(host.name)
    assert host.sh("systemctl show docker.service --property=MainPID") == pid
    assert host.sh("rpm --query --all | sort") == packages

    host.sh("mkdir -p /etc/containerd; mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs /etc/containerd")
    run = host.converge(docker_engine_conflicts="replace")
    assert run.status != 0, "the transaction was to fail"
    assert host.sh("docker version --format '{{.Server.Version}}'").startswith("20.10")
    assert host.sh("rpm --query --all | sort") == packages
    assert "containerd" in run.failure(host.name)

    host.sh("umount /etc/containerd")
    run = host.converge(docker_engine_conflicts="replace")
    assert run.status == 0, run.output
    replaced = [task.partition(" | ")[2] for task in run.changed(host.name) if "Packages | " in task]
    assert replaced[-2:] == [
        "Stop the old engine and its containers",
        "Verify the signer of the packages and install them in one transaction",
    ]
    assert host.sh("docker version --format '{{.Server.Version}}'").startswith("26.1")


def test_a_pin_brings_the_matching_set_and_only_the_plugins_that_were_asked_for(host: LabHost) -> None:
    run = host.converge(docker_engine_version="20.10", docker_engine_plugins=["compose"])
    assert run.status == 0, run.output
    versions = host.sh("rpm --query --queryformat '%{VERSION} ' docker-ce docker-ce-cli docker-ce-rootless-extras")
    assert versions.split() == ["20.10.24"] * 3
    assert host.run("rpm", "--query", "docker-compose-plugin")[0] == 0
    assert host.run("rpm", "--query", "docker-buildx-plugin")[0] == 1
    again = host.converge(docker_engine_version="20.10", docker_engine_plugins=["compose"])
    assert again.changed(host.name) == []


def test_a_repository_of_the_user_s_own_is_left_alone(host: LabHost) -> None:
    """Whatever its ID is, also with a pin."""
    host.sh(
        "curl --silent --fail https://download.docker.com/linux/centos/docker-ce.repo"
        " | sed 's/docker-ce-stable/engines/' >/etc/yum.repos.d/own.repo"
    )
    run = host.converge(docker_engine_repo_manage=False, docker_engine_version="20.10")
    assert run.status == 0, run.output
    assert "docker-ce-20.10" in host.sh("rpm --query docker-ce")
    assert host.sh("ls /etc/yum.repos.d") == "own.repo"
