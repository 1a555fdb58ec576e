# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.preflight import forwarding

NFTABLES: dict[str, Any] = {"firewall-backend": "nftables"}
KEYS = (*forwarding.IPV4, *forwarding.IPV6)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system that does not forward packets."""
    for key in KEYS:
        switch(tmp_path, key, "0")
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    return tmp_path


def switch(root: Path, key: str, value: str) -> None:
    path = root / "proc/sys" / key.replace(".", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value + "\n")


@pytest.mark.parametrize(
    "also", [{"iptables": False}, {"ip-forward": False}, {"bridge": "none"}, {"firewall-backend": "iptables"}]
)
def test_options_that_need_no_forwarding_are_fine(root: Path, also: dict[str, Any]) -> None:
    assert forwarding.problems({**NFTABLES, **also}, False, str(root)) == []
    assert forwarding.warnings({**NFTABLES, **also}, False, str(root)) == []


def test_nftables_on_a_host_that_does_not_forward_is_refused_with_the_commands(root: Path) -> None:
    """Fault: `firewall-backend: nftables` on a host without net.ipv4.ip_forward. Outcome: refused, with the commands
    that enable it.
    """
    (sentence,) = forwarding.problems(NFTABLES, False, str(root))
    assert "does not set net.ipv4.ip_forward: check the firewall" in sentence
    assert (
        "run printf 'net.ipv4.ip_forward=1\\n' >/etc/sysctl.d/90-docker-forwarding.conf && sysctl --system, or set "
        "ip-forward: false"
    ) in sentence
    assert "ipv6" not in sentence
    switch(root, "net.ipv4.ip_forward", "1")
    assert forwarding.problems(NFTABLES, False, str(root)) == []


def test_ipv6_needs_its_own_forwarding(root: Path) -> None:
    switch(root, "net.ipv4.ip_forward", "1")
    (sentence,) = forwarding.problems({**NFTABLES, "ipv6": True}, False, str(root))
    assert "net.ipv6.conf.all.forwarding and net.ipv6.conf.default.forwarding" in sentence
    assert "ipv4" not in sentence


def test_what_is_on_and_in_no_file_is_a_warning(root: Path) -> None:
    """Fault: nftables on a host whose forwarding is not in sysctl.d. Outcome: named, since the engine stays down
    after a reboot.
    """
    switch(root, "net.ipv4.ip_forward", "1")
    (sentence,) = forwarding.warnings(NFTABLES, False, str(root))
    assert "no file of sysctl.d sets net.ipv4.ip_forward, which is on now" in sentence
    for line in (
        "net.ipv4.ip_forward=1",
        "net/ipv4/ip_forward = 1",
        "-net.ipv4.ip_forward =1",
        "net.ipv4.conf.all.forwarding = 1",
    ):
        (root / "etc/sysctl.d/router.conf").write_text(f"# a router\n{line}\n")
        assert forwarding.warnings(NFTABLES, False, str(root)) == []
    (root / "etc/sysctl.d/router.conf").write_text("net.ipv4.ip_forward=0\n#net.ipv4.ip_forward=1\n")
    assert len(forwarding.warnings(NFTABLES, False, str(root))) == 1


def test_an_image_needs_the_file_and_the_build_host_does_not_count(root: Path) -> None:
    switch(root, "net.ipv4.ip_forward", "1")
    (sentence,) = forwarding.problems(NFTABLES, True, str(root))
    assert "sysctl --system" not in sentence
    assert forwarding.warnings(NFTABLES, True, str(root)) == []
    (root / "etc/sysctl.d/router.conf").write_text("net.ipv4.ip_forward=1\n")
    switch(root, "net.ipv4.ip_forward", "0")
    assert forwarding.problems(NFTABLES, True, str(root)) == []
    assert forwarding.warnings(NFTABLES, True, str(root)) == []


def test_the_command_of_the_remedy_writes_what_is_read(root: Path) -> None:
    command = forwarding.save(list(KEYS)).replace("/etc/sysctl.d", str(root / "etc/sysctl.d"))
    subprocess.run(["sh", "-c", command], check=True)
    assert forwarding.at_boot(str(root)) == dict.fromkeys(KEYS, "1")


def test_the_last_file_by_name_decides(root: Path) -> None:
    """Fault: a later file of sysctl.d takes the forwarding away that an earlier one enables. Outcome: named, since the
    engine stays down after a reboot.
    """
    (root / "usr/lib/sysctl.d").mkdir(parents=True)
    (root / "etc/sysctl.d/50-router.conf").write_text("net.ipv4.conf.all.forwarding=1\n")
    assert forwarding.at_boot(str(root))["net.ipv4.ip_forward"] == "1"
    (root / "usr/lib/sysctl.d/60-hardened.conf").write_text("net.ipv4.ip_forward=0\n")
    assert forwarding.at_boot(str(root))["net.ipv4.ip_forward"] == "0"
    (root / "etc/sysctl.d/60-hardened.conf").write_text("")
    assert forwarding.at_boot(str(root))["net.ipv4.ip_forward"] == "1", "it hides the one of its name"


def test_all_interfaces_of_ipv6_include_those_to_come(root: Path) -> None:
    (root / "etc/sysctl.d/a.conf").write_text("net.ipv6.conf.all.forwarding=1\nnet.ipv4.ip_forward=1\n")
    switch(root, "net.ipv4.ip_forward", "1")
    for key in forwarding.IPV6:
        switch(root, key, "1")
    assert forwarding.warnings({**NFTABLES, "ipv6": True}, False, str(root)) == []
