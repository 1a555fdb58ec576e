# SPDX-License-Identifier: Apache-2.0
"""Machines with a kernel of their own: one with SELinux enforcing and cgroup v2, one with firewalld on nftables.

QEMU emulates them. The SELinux policy is Debian's, a build of the reference policy with its modules for containers and
Docker: it confines containers as container-selinux does, and the labels that it has for some paths are others.
"""

from collections.abc import Iterator

import pytest

from slipway.lab import machine_host, systems
from slipway.lab.lab import Lab
from slipway.lab.machine_host import MachineHost
from slipway.lab.play import ok
from slipway.lab.virtual_machine import Disk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(machine_host.obstacle()), reason=machine_host.obstacle()),
]

DATA_ROOT = "/data/docker"
OPTIONS = {"selinux-enabled": True}
ENGINE = {"docker_engine_daemon_options": OPTIONS, "docker_engine_data_root": DATA_ROOT}
# What site.yml writes, or makes for what it writes.
WRITTEN = "/etc/docker /etc/yum.repos.d /etc/pki/rpm-gpg /etc/systemd/system /var/lib/slipway /run/docker.sock"
LOAD = "docker load --quiet --input /usr/share/slipway/hello.tar"
REACH = f"docker run --rm slipway/hello wget -q -O /dev/null http://{machine_host.REPOSITORY}/linux/centos/gpg"
# firewalld speaks to the kernel by this library, and the host has no nft.
TABLES = 'import nftables; print(nftables.Nftables().cmd("list tables"))'


@pytest.fixture(scope="module")
def disk(lab: Lab) -> Iterator[Disk]:
    with machine_host.disk(lab, systems.SYSTEMS["el10"]) as made:
        yield made


@pytest.fixture(scope="module")
def enforcing(lab: Lab, disk: Disk) -> Iterator[MachineHost]:
    """A machine with SELinux, and with the engine of site.yml."""
    with machine_host.booted(lab, disk, "test-selinux", machine_host.WITH_SELINUX) as host:
        assert host.sh("getenforce; stat --file-system --format=%T /sys/fs/cgroup").split() == [
            "Enforcing",
            "cgroup2fs",
        ]
        ok(host.converge(**ENGINE))
        host.sh(LOAD)
        yield host


@pytest.fixture(scope="module")
def firewalled(lab: Lab, disk: Disk) -> Iterator[MachineHost]:
    """A machine with firewalld, and with the engine of site.yml."""
    with machine_host.booted(lab, disk, "test-firewalld", machine_host.WITHOUT_SELINUX) as host:
        host.sh("systemctl enable --now firewalld")
        ok(host.converge())
        host.sh(LOAD)
        yield host


def test_a_second_run_under_selinux_changes_nothing(enforcing: MachineHost) -> None:
    assert ok(enforcing.converge(**ENGINE)).changed(enforcing.name) == []


def test_a_container_is_confined_unless_it_is_told_otherwise(enforcing: MachineHost) -> None:
    run = "docker run --rm {} slipway/hello cat /proc/self/attr/current"
    domain, categories = enforcing.sh(run.format("")).split(":", 2)[2].split(":", 1)
    assert domain == "container_t"
    assert "," in categories, "they keep containers apart"
    assert ":container_t:" not in enforcing.sh(run.format("--security-opt label=disable"))


def test_what_slipway_writes_has_the_labels_of_the_policy(enforcing: MachineHost) -> None:
    assert ":container_config_t:" in enforcing.sh("stat --format=%C /etc/docker/daemon.json")
    assert enforcing.sh(f"restorecon -n -v -R {WRITTEN}") == ""


def test_a_data_root_elsewhere_has_the_label_of_the_default_one(enforcing: MachineHost) -> None:
    assert ":container_var_lib_t:" in enforcing.sh(f"stat --format=%C {DATA_ROOT}")
    assert enforcing.sh(f"restorecon -n -v {DATA_ROOT}") == ""


def test_a_replaced_file_keeps_its_label(enforcing: MachineHost) -> None:
    """Fault: somebody has set another SELinux label on a file that is replaced. Outcome: it keeps the label."""
    file = "/etc/docker/labelled"

    def write(content: str) -> dict[str, object]:
        return {"slipway.platform.write_files": {"files": {file: content}}}

    relabel = {"ansible.builtin.command": f"chcon --type=container_file_t {file}"}
    ok(enforcing.play(write("first"), relabel, write("second")))
    assert enforcing.sh(f"cat {file}") == "second"
    assert ":container_file_t:" in enforcing.sh(f"stat --format=%C {file}")


def test_the_engine_is_tried_under_selinux(enforcing: MachineHost) -> None:
    """In an emulated machine, a trial takes longer than its usual limit."""
    module = {"options": {**OPTIONS, "data-root": DATA_ROOT, "debug": True}, "prove_timeout": 600}
    run = ok(enforcing.play({"slipway.platform.docker_daemon": module}, options=("--check",)))
    assert [result["proven"] for _, result in run.results(enforcing.name)] == [True], run.output


def test_nothing_that_slipway_does_is_denied(enforcing: MachineHost) -> None:
    """Denials at boot are Debian's: its policy lags behind its systemd."""
    denied = enforcing.sh("journalctl --boot --output=cat --no-pager | grep --text 'avc: *denied'").splitlines()
    assert denied, "the journal has no denials at all"
    ours = [line for line in denied if any(word in line for word in ("docker", "containerd", "python3", "slipway"))]
    assert ours == []


def test_containers_reach_out_after_a_reload_of_the_firewall(firewalled: MachineHost) -> None:
    """Fault: firewalld reloads, or restarts, with its nftables backend. Outcome: containers reach out, and published
    ports answer.
    """
    assert firewalled.sh("firewall-cmd --state") == "running"
    assert "table inet firewalld" in firewalled.sh(f"python3 -c '{TABLES}'")
    firewalled.sh("docker run --detach --name served --publish 8080:80 slipway/hello httpd -f -p 80")
    served = "curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8080/"
    for change in ("true", "firewall-cmd --reload", "systemctl restart firewalld"):
        firewalled.sh(change)
        firewalled.sh(f"timeout 120 sh -c 'until {REACH}; do sleep 1; done'")
        assert firewalled.sh(served) == "404"
    assert ok(firewalled.converge()).changed(firewalled.name) == []
