# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""When to label, and with which commands. tests/lab/test_machine_hosts.py runs them."""

from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import selinux

RULES = "etc/selinux/mls/contexts/files/file_contexts.subs"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The root file system of a host with SELinux and a non-default policy."""
    write(tmp_path / "sys/fs/selinux/enforce", "1")
    write(tmp_path / "etc/selinux/config", "# SELINUXTYPE=targeted\nSELINUX=enforcing\nSELINUXTYPE=mls\n")
    return tmp_path


def test_without_selinux_nothing_is_labelled(tmp_path: Path) -> None:
    assert not selinux.is_pending("/data/docker", str(tmp_path))
    assert selinux.packages("/data/docker", str(tmp_path)) == []


def test_selinux_enabled_is_left_out_without_selinux_except_of_an_image(system: Path, tmp_path: Path) -> None:
    """Fault: `selinux-enabled` on a host without SELinux. Outcome: left out; an image keeps it for its first boot."""
    options = {"selinux-enabled": True, "icc": False}
    none = str(tmp_path / "none")
    assert selinux.without_selinux(options, False, none) == ({"icc": False}, True)
    assert selinux.without_selinux(options, True, none) == (options, False)
    assert selinux.without_selinux(options, False, str(system)) == (options, False)
    assert selinux.without_selinux({"icc": False}, False, none) == ({"icc": False}, False)
    assert selinux.without_selinux(None, False, none) == (None, False)


def test_the_default_root_is_not_labelled(system: Path) -> None:
    assert not selinux.is_pending("/var/lib/docker", str(system))


def test_another_root_is_labelled_once(system: Path) -> None:
    assert selinux.is_pending("/data/docker", str(system))
    write(system / RULES, "/data/docker-2 /var/lib/docker\n/data/docker /srv\n")
    assert selinux.is_pending("/data/docker", str(system))
    write(system / RULES, "/data/docker /var/lib/docker\n")
    assert not selinux.is_pending("/data/docker", str(system))
    assert selinux.packages("/data/docker", str(system)) == []


def test_the_package_of_semanage_is_installed_if_missing(system: Path) -> None:
    assert selinux.packages("/data/docker", str(system)) == ["policycoreutils-python-utils"]
    write(system / "usr/sbin/semanage", "")
    assert selinux.packages("/data/docker", str(system)) == []


def test_the_rule_comes_before_the_labels() -> None:
    assert selinux.commands("/data/docker") == [
        ["/usr/sbin/semanage", "fcontext", "-a", "-e", "/var/lib/docker", "/data/docker"],
        ["restorecon", "-R", "/data/docker"],
    ]
