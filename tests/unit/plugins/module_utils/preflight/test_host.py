# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The files of hosts are modelled on what kernels and systemd write; they were not recorded on real hosts."""

import struct
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts
from ansible_collections.slipway.platform.plugins.module_utils.preflight import host as host_preflight
from ansible_collections.slipway.platform.plugins.module_utils.preflight.host import Host

# Lines of /proc/self/mountinfo.
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
    """Return the facts of a CentOS Stream 10 host that lacks nothing."""
    facts = {"bits": 64, "mounts": CGROUP_2, **changes}
    return Host(facts["bits"], facts["mounts"] and mounts.parse(facts["mounts"]))


def found(version: str | None = "29.0.0", **changes: Any) -> list[str]:
    return list(host_preflight.problems(host(**changes), "docker-ce", version))


def test_a_complete_host_has_no_problems() -> None:
    assert found() == []
    assert found(version=None) == []
    assert found(mounts=CGROUP_1, version="20.10.24") == []


def test_a_32_bit_userland_is_refused() -> None:
    """Fault: a 32-bit user land. Outcome: refused."""
    (sentence,) = found(bits=32)
    assert "install a 64-bit release" in sentence


@pytest.mark.parametrize("text", [ROOT, WITHOUT_DEVICES])
def test_a_host_without_usable_cgroups_is_refused(text: str) -> None:
    """Fault: a host without usable cgroups. Outcome: refused."""
    (sentence,) = found(mounts=text)
    assert "neither cgroup v2 nor the devices controller" in sentence


def test_cgroup_v2_is_refused_for_engines_without_support() -> None:
    (sentence,) = found(version="19.03.15")
    assert "cgroup v2, which docker-ce 19.03.15 does not support" in sentence
    assert found(version="20.10.0") == []


def test_docker_engine_on_cgroup_v2_is_only_a_warning() -> None:
    assert host_preflight.problems(host(), "docker-engine", "17.05.0.ce") == []
    (sentence,) = host_preflight.warnings(host(), "docker-engine", "17.05.0.ce")
    assert "cgroup v2, which docker-engine does not support" in sentence
    assert host_preflight.warnings(host(mounts=CGROUP_1), "docker-engine", "17.05.0.ce") == []
    assert host_preflight.warnings(host(), "docker-ce", "29.0.0") == []


def test_cgroup_v1_is_a_warning_from_29_on() -> None:
    (sentence,) = host_preflight.warnings(host(mounts=CGROUP_1), "docker-ce", "29.0.0")
    assert "cgroup v1, which is deprecated since engine 29" in sentence
    for version in ("28.5.2", None):
        assert host_preflight.warnings(host(mounts=CGROUP_1), "docker-ce", version) == []
    assert host_preflight.warnings(host(mounts=None), "docker-ce", "29.0.0") == []


def test_all_problems_are_reported_at_once() -> None:
    assert len(found(bits=32, mounts=ROOT)) == 2


def test_facts_of_this_host_can_be_gathered() -> None:
    gathered = host_preflight.gather()
    assert gathered.bits == struct.calcsize("P") * 8
