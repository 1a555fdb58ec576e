# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The pieces of hosts are written after what kernels and systemd print; none was recorded on a host of ours."""

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import host_preflight
from ansible_collections.slipway.platform.plugins.module_utils.host_preflight import Host

# /proc/modules of a host whose engine runs.
LOADED = """\
xt_conntrack 12288 1 - Live 0x0000000000000000
xt_addrtype 12288 2 - Live 0x0000000000000000
nft_compat 24576 4 - Live 0x0000000000000000
"""
NOT_LOADED = "nft_compat 24576 4 - Live 0x0000000000000000\nxt_addrtype_like 12288 0 - Live 0x0000000000000000\n"
# modules.dep of EL 9, where kernel-modules-core has the module, and of EL 10 without and with kernel-modules-extra.
EL9 = """\
kernel/net/netfilter/xt_addrtype.ko.xz:
kernel/net/netfilter/xt_conntrack.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz
"""
EL10 = """\
kernel/net/netfilter/nft_compat.ko.xz:
kernel/net/netfilter/xt_conntrack.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz
"""
EL10_EXTRA = EL10 + "extra/net/netfilter/xt_addrtype.ko.xz: kernel/net/netfilter/x_tables.ko.xz\n"
UNCOMPRESSED = "kernel/net/netfilter/xt_addrtype.ko: kernel/net/netfilter/x_tables.ko\n"
BUILT_IN = EL10 + "kernel/net/netfilter/xt_addrtype.ko\n"
ONLY_NEEDED_BY_ANOTHER = "extra/other.ko.xz: kernel/net/netfilter/xt_addrtype.ko.xz\n"
# /proc/self/mountinfo.
ROOT = "24 1 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/cs-root rw,attr2,inode64\n"
CGROUP_2 = (
    ROOT + "27 23 0:24 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
)
CGROUP_1 = (
    ROOT
    + "966 956 0:172 / /sys/fs/cgroup ro,nosuid,nodev,noexec - tmpfs cgroup ro,size=4096k,nr_inodes=1024,mode=755\n"
    + "968 966 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    + "971 966 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
    + "976 966 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
WITHOUT_DEVICES = CGROUP_1.replace("devices", "pids")


def host(**changes: Any) -> Host:
    """A CentOS Stream 10 that has everything."""
    pieces = {"kernel": "6.12.0-55.el10.x86_64", "bits": 64, "module": True, "mounts": CGROUP_2}
    return Host(**{**pieces, **changes})


def found(options: dict[str, Any] | None = None, version: str | None = "29.0.0", **changes: Any) -> list[str]:
    return list(host_preflight.problems(host(**changes), "docker-ce", version, options or {}))


def test_a_host_that_has_everything_has_no_problem() -> None:
    assert found() == []
    assert found(version=None) == []
    assert found(mounts=CGROUP_1, version="20.10.24") == []


@pytest.mark.parametrize("text", [LOADED, EL9, EL10_EXTRA, UNCOMPRESSED, BUILT_IN])
def test_a_module_is_found_loaded_built_in_or_on_disk(text: str) -> None:
    assert host_preflight.has_module(text, "xt_addrtype")


@pytest.mark.parametrize("text", ["", NOT_LOADED, EL10, ONLY_NEEDED_BY_ANOTHER])
def test_a_module_that_is_only_mentioned_is_not_found(text: str) -> None:
    assert not host_preflight.has_module(text, "xt_addrtype")


def test_modules_are_looked_for_where_the_running_kernel_has_them(tmp_path: Path) -> None:
    proc = tmp_path / "modules"
    proc.write_text(NOT_LOADED)
    assert host_preflight.find_module(str(tmp_path), str(proc)) is None
    (tmp_path / "modules.dep").write_text(EL10)
    assert host_preflight.find_module(str(tmp_path), str(proc)) is False
    (tmp_path / "modules.builtin").write_text(BUILT_IN)
    assert host_preflight.find_module(str(tmp_path), str(proc)) is True
    proc.write_text(LOADED)
    assert host_preflight.find_module("/nowhere", str(proc)) is True


def test_a_kernel_without_xt_addrtype_is_named_with_the_package_that_has_it() -> None:
    (sentence,) = found(module=False)
    assert "dnf install kernel-modules-extra-6.12.0-55.el10.x86_64" in sentence
    assert "firewall-backend: nftables" in sentence
    assert "without swarm" in sentence


@pytest.mark.parametrize("options", [{"iptables": False}, {"firewall-backend": "nftables"}])
def test_an_engine_that_leaves_iptables_alone_needs_no_module(options: dict[str, Any]) -> None:
    assert found(options, module=False) == []


def test_where_the_modules_cannot_be_seen_nothing_is_said() -> None:
    assert found(module=None, mounts=None) == []


def test_a_user_land_of_32_bits_is_refused() -> None:
    (sentence,) = found(bits=32)
    assert "install a 64-bit release" in sentence


@pytest.mark.parametrize("mounts", [ROOT, WITHOUT_DEVICES])
def test_a_host_without_usable_cgroups_is_refused(mounts: str) -> None:
    (sentence,) = found(mounts=mounts)
    assert "neither cgroup v2 nor the devices controller" in sentence


def test_cgroup_2_is_refused_to_engines_that_do_not_know_it() -> None:
    (sentence,) = found(version="19.03.15")
    assert "cgroup v2, which docker-ce 19.03.15 does not know" in sentence
    assert found(version="20.10.0") == []


def test_the_historic_package_on_cgroup_2_is_a_warning_since_the_mirror_is_the_user_s() -> None:
    assert host_preflight.problems(host(), "docker-engine", "17.05.0.ce", {}) == []
    (sentence,) = host_preflight.warnings(host(), "docker-engine")
    assert "cgroup v2, which docker-engine does not know" in sentence
    assert host_preflight.warnings(host(mounts=CGROUP_1), "docker-engine") == []
    assert host_preflight.warnings(host(), "docker-ce") == []


def test_all_problems_are_named_at_once() -> None:
    assert len(found(module=False, bits=32, mounts=ROOT)) == 3


def test_this_host_can_be_gathered() -> None:
    gathered = host_preflight.gather()
    assert (gathered.kernel, gathered.bits) == (os.uname().release, struct.calcsize("P") * 8)
