# SPDX-License-Identifier: Apache-2.0
"""What is odd about a host is named before anything is changed, with the remedy."""

from collections.abc import Iterator

import pytest

from slipway.lab.play import Run
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


def warnings(run: Run, host: LabHost) -> str:
    return " ".join(warning for _, result in run.results(host.name) for warning in result.get("warnings", []))


def test_everything_that_is_odd_is_named_at_once_and_nothing_is_changed(host: LabHost) -> None:
    """Fault 9. The stand-in's release package provides container-selinux; no repository is there to have it."""
    host.sh("systemctl mask docker.socket; rpm --erase --nodeps centos-stream-release")
    before = host.sh(STATE)
    run = host.converge(docker_engine_version="26.1", docker_engine_daemon_options={"firewall-backend": "nftables"})
    assert run.status != 0
    for words in (
        "docker.socket is masked, so docker cannot start: run systemctl unmask docker.socket",
        "container-selinux, which the engine's packages require, is neither installed nor in an enabled repository",
        "do not fit docker-ce 26.1.5: firewall-backend is new in engine 29.0",
    ):
        assert words in run.failure(host.name)
    assert host.sh(STATE) == before


def test_a_policy_that_a_repository_has_is_not_missing(host: LabHost) -> None:
    """Nor is one whose repository does not answer: dnf is going to tell."""
    host.sh("rpm --erase --nodeps centos-stream-release")
    section = "[baseos]\\nname=baseos\\nbaseurl=https://download.docker.com/{}\\nenabled=1\\n"
    for tree in ("baseos", "nowhere"):
        host.sh(f"printf '{section.format(tree)}' >/etc/yum.repos.d/baseos.repo")
        run = host.converge("--check")
        assert run.status == 0, run.output


def test_units_that_were_edited_by_hand_are_named_and_left_alone(edited_host: LabHost) -> None:
    assert "edited" not in warnings(edited_host.converge("--check"), edited_host)
    edited_host.sh(
        f"cp {UNITS}/docker.service /etc/systemd/system/docker.service;"
        f"echo '# by hand' >>{UNITS}/containerd.service; systemctl daemon-reload"
    )
    run = edited_host.converge("--check")
    said = warnings(run, edited_host)
    assert "/etc/systemd/system/docker.service hides the unit of the package" in said
    assert f"{UNITS}/containerd.service was edited since its package was installed" in said
    assert "systemctl edit containerd.service" in said
    assert edited_host.sh(f"tail -n 1 {UNITS}/containerd.service") == "# by hand"
