# SPDX-License-Identifier: Apache-2.0
"""What is odd about a host is named before anything is changed, with the remedy."""

import re
from collections.abc import Iterator

import pytest

from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

UNITS = "/usr/lib/systemd/system"
STATE = "rpm --query --all | sort; ls /etc/yum.repos.d /etc/pki/rpm-gpg; ls -l /etc/systemd/system"


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    """A host without an engine."""
    return workbench.make("test-preflight")


@pytest.fixture
def edited_host(converged_host: LabHost) -> Iterator[LabHost]:
    """A host whose unit files may be edited: they are put back."""
    kept = f"{UNITS}/docker.service {UNITS}/containerd.service"
    converged_host.sh(f"cp --archive {kept} /root")
    yield converged_host
    converged_host.sh(
        f"cp --archive /root/docker.service /root/containerd.service {UNITS};"
        "rm -f /etc/systemd/system/docker.service; systemctl daemon-reload"
    )


def enable_baseos(host: LabHost) -> None:
    """Enable the repository of the distribution."""
    host.sh(
        "printf '[baseos]\\nname=baseos\\nbaseurl=https://download.docker.com/baseos\\nenabled=1\\n"
        "gpgkey=https://download.docker.com/linux/centos/gpg\\n' >/etc/yum.repos.d/baseos.repo"
    )


def warnings(run: Run, host: LabHost) -> str:
    return " ".join(run.warnings(host.name))


def test_everything_that_is_odd_is_named_at_once_and_nothing_is_changed(host: LabHost) -> None:
    """Fault: a masked unit, and no repository that has container-selinux. Outcome: all problems are listed at once;
    nothing changes.

    The stand-in's release package provides container-selinux; no repository is there to have it.
    """
    host.sh("systemctl mask docker.socket; rpm --erase --nodeps centos-stream-release")
    before = host.sh(STATE)
    run = host.converge(docker_engine_version="26.1", docker_engine_daemon_options={"firewall-backend": "nftables"})
    assert run.status != 0
    for words in (
        "docker.socket is masked, so docker cannot start: run systemctl unmask docker.socket",
        "container-selinux, which the engine's packages require, is neither installed nor in an enabled repository",
        "does not work with docker-ce 26.1.5: firewall-backend is new in engine 29.0",
    ):
        assert words in run.failure(host.name)
    assert host.sh(STATE) == before


@pytest.mark.slow
def test_a_policy_that_a_repository_has_is_not_missing(host: LabHost) -> None:
    host.sh("rpm --erase --nodeps centos-stream-release")
    enable_baseos(host)
    ok(host.converge("--check"))


@pytest.mark.slow
def test_what_keeps_dnf_from_installing_is_named_and_its_remedies_work(host: LabHost) -> None:
    """Fault: a repository of the host cannot be reached, and an exclude in dnf.conf hides the packages. Outcome: both
    are named with their files; nothing changes.
    """
    host.sh(
        "printf '[third]\nname=third\nbaseurl=http://localhost:9/\ngpgcheck=0\n' >/etc/yum.repos.d/third.repo;"
        "echo 'exclude=docker*' >>/etc/dnf/dnf.conf"
    )
    before = host.sh(STATE)
    for pin in ("", "26.1"):
        failure = host.converge(docker_engine_version=pin).failure(host.name)
        assert "exclude=docker* in /etc/dnf/dnf.conf hides docker-buildx-plugin and docker-ce and" in failure
        assert "the repository third of this host cannot be read" in failure
        assert "skip_if_unavailable=1 in /etc/yum.repos.d/third.repo" in failure
        assert "docker_engine_repo_root" not in failure
    assert host.sh(STATE) == before
    host.sh("sed -i '/^exclude=/d' /etc/dnf/dnf.conf; echo skip_if_unavailable=1 >>/etc/yum.repos.d/third.repo")
    ok(host.converge())


def test_a_directory_in_place_of_daemon_json_is_named(host: LabHost) -> None:
    """Fault: daemon.json is a directory, since a container mounted the missing file. Outcome: named with the remedy;
    nothing changes.
    """
    host.sh("mkdir -p /etc/docker/daemon.json")
    before = host.sh(STATE)
    failure = host.converge().failure(host.name)
    for words in ("/etc/docker/daemon.json is a directory", "rmdir /etc/docker/daemon.json", "Nothing was changed"):
        assert words in failure
    assert host.sh(STATE) == before


@pytest.mark.slow
def test_units_that_were_edited_by_hand_are_named_and_left_alone(edited_host: LabHost) -> None:
    """Fault: unit files that were edited or hidden by hand. Outcome: named, with a drop-in as the remedy; the files
    stay.
    """
    assert "edited" not in warnings(edited_host.converge("--check"), edited_host)
    edited_host.sh(
        f"cp {UNITS}/docker.service /etc/systemd/system/docker.service;"
        f"echo '# by hand' >>{UNITS}/containerd.service; systemctl daemon-reload"
    )
    run = edited_host.converge("--check")
    said = warnings(run, edited_host)
    assert "/etc/systemd/system/docker.service overrides the packaged unit" in said
    assert f"{UNITS}/containerd.service was edited after its package was installed" in said
    assert "systemctl edit containerd.service" in said
    assert edited_host.sh(f"tail -n 1 {UNITS}/containerd.service") == "# by hand"


@pytest.mark.slow
def test_an_image_whose_kernel_has_no_module_and_no_package_is_refused(host: LabHost) -> None:
    """Fault: an image of EL 10 whose kernel lacks xt_addrtype, and no repository that has its kernel-modules-extra.
    Outcome: refused while baking; nothing changes.

    The repositories of the lab have no package of any kernel.
    """
    modules = "/lib/modules/6.12.0-55.el10.x86_64"
    host.sh(f"mkdir --parents {modules}; echo kernel/net/netfilter/nft_compat.ko.xz: >{modules}/modules.dep")
    before = host.sh(STATE)
    run = host.converge(slipway_baking=True)
    assert run.status != 0
    assert "kernel 6.12.0-55.el10.x86_64 has no module xt_addrtype" in run.failure(host.name)
    assert "no enabled repository has kernel-modules-extra-6.12.0-55.el10" in run.failure(host.name)
    assert host.sh(STATE) == before
    host.sh(f"echo kernel/net/netfilter/xt_addrtype.ko.xz: >>{modules}/modules.dep")
    assert "xt_addrtype" not in host.converge("--check", slipway_baking=True).output
    host.sh(f"rm --recursive {modules}")


@pytest.mark.slow
def test_the_module_of_an_image_s_kernel_comes_in_the_transaction(host: LabHost) -> None:
    """Fault: an image whose kernel lacks xt_addrtype, and a repository that has its kernel-modules-extra. Outcome: the
    package is installed with the engine.
    """
    modules = "/lib/modules/6.12.0-55.el9.x86_64"
    host.sh(f"mkdir --parents {modules}; echo kernel/net/netfilter/nft_compat.ko.xz: >{modules}/modules.dep")
    enable_baseos(host)
    ok(host.converge(slipway_baking=True))
    assert host.sh("rpm --query kernel-modules-extra") == "kernel-modules-extra-6.12.0-55.el9.noarch"


def test_an_option_that_the_repository_s_newest_engine_lacks_is_refused_on_a_fresh_host(host: LabHost) -> None:
    """Fault: an option of a newer engine than the repository's newest, on a host without an engine. Outcome: refused
    before any package is installed.
    """
    before = host.sh(STATE)
    run = host.converge(docker_engine_daemon_options={"default-stop-timeout": 30})
    assert run.status != 0
    assert "default-stop-timeout is new in engine 29.7" in run.failure(host.name)
    assert host.sh(STATE) == before


def test_a_containerd_that_the_repository_lacks_is_refused_with_those_that_it_has(host: LabHost) -> None:
    """Fault: a pinned containerd that the repository does not have. Outcome: refused with those that it has; nothing
    changes.
    """
    before = host.sh(STATE)
    run = host.converge(docker_engine_containerd_version="99.9")
    assert run.status != 0
    assert "containerd.io 99.9 is not in " in run.failure(host.name)
    assert "Set docker_engine_containerd_version to one of them." in run.failure(host.name)
    assert host.sh(STATE) == before


@pytest.mark.slow
def test_a_containerd_that_is_too_old_for_the_engine_is_refused(host: LabHost) -> None:
    """Fault: a pinned containerd that the engine's package refuses. Outcome: refused with the version that it requires;
    nothing changes.
    """
    before = host.sh(STATE)
    run = host.converge(docker_engine_version="26.1.5", docker_engine_containerd_version="1.6")
    assert run.status != 0
    assert (
        "docker-ce 26.1.5 requires containerd.io 1.6.24 or later, and docker_engine_containerd_version holds 1.6.20"
        in run.failure(host.name)
    )
    assert host.sh(STATE) == before


@pytest.mark.slow
def test_a_pinned_containerd_is_held(converged_host: LabHost) -> None:
    containerd = "rpm --query --queryformat '%{VERSION}' containerd.io"
    version = ".".join(re.findall(r"[0-9]+", converged_host.sh(containerd))[:2])
    run = converged_host.converge(docker_engine_containerd_version=version)
    assert run.status == 0, run.output
    repository = converged_host.sh("cat /etc/yum.repos.d/docker-ce.repo")
    assert f"containerd.io-{version}.*-*" in repository
    offered = converged_host.sh("dnf --quiet repoquery --qf '%{name}\\n' --repo docker-ce-stable").split()
    assert {"docker-ce", "containerd.io", "docker-compose-plugin"} <= set(offered)
    assert converged_host.converge(docker_engine_containerd_version=version).changed(converged_host.name) == []
    assert converged_host.converge().status == 0


@pytest.mark.slow
def test_a_node_of_a_swarm_keeps_its_engine_without_live_restore(converged_host: LabHost) -> None:
    """Fault: a node of a swarm, where dockerd does not start with live-restore, the role's default. Outcome: configured
    without it, which a sentence says; the engine restarts.
    """
    loose = converged_host.converge(docker_engine_daemon_options={"live-restore": False})
    assert loose.status == 0, loose.output
    converged_host.sh("docker swarm init --advertise-addr 127.0.0.1")
    try:
        run = converged_host.converge(docker_engine_daemon_options={"debug": True})
        assert run.status == 0, run.output
        assert "live-restore is left out: this host is a node of a swarm" in warnings(run, converged_host)
        assert "live-restore" not in converged_host.sh("cat /etc/docker/daemon.json")
        converged_host.sh("systemctl restart docker.service")
        assert converged_host.sh("docker info --format '{{.Swarm.LocalNodeState}}'") == "active"
    finally:
        converged_host.sh("docker swarm leave --force")
        assert converged_host.converge().status == 0
    assert '"live-restore": true' in converged_host.sh("cat /etc/docker/daemon.json"), "it left the swarm"
