# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The decision and the commands; no SELinux was at hand to run them."""

from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import selinux_context

RULES = "etc/selinux/mls/contexts/files/file_contexts.subs"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The root of a host on which SELinux is on, with a policy that is not the default one."""
    write(tmp_path / "sys/fs/selinux/enforce", "1")
    write(tmp_path / "etc/selinux/config", "# SELINUXTYPE=targeted\nSELINUX=enforcing\nSELINUXTYPE=mls\n")
    return tmp_path


def test_without_selinux_nothing_is_labelled(tmp_path: Path) -> None:
    assert not selinux_context.is_wanted("/data/docker", str(tmp_path))
    assert selinux_context.packages("/data/docker", str(tmp_path)) == []


def test_the_default_root_has_its_label_from_the_policy(system: Path) -> None:
    assert not selinux_context.is_wanted("/var/lib/docker", str(system))


def test_a_root_elsewhere_is_labelled_once(system: Path) -> None:
    assert selinux_context.is_wanted("/data/docker", str(system))
    write(system / RULES, "/data/docker-2 /var/lib/docker\n/data/docker /srv\n")
    assert selinux_context.is_wanted("/data/docker", str(system))
    write(system / RULES, "/data/docker /var/lib/docker\n")
    assert not selinux_context.is_wanted("/data/docker", str(system))
    assert selinux_context.packages("/data/docker", str(system)) == []


def test_semanage_is_installed_where_it_is_missing(system: Path) -> None:
    assert selinux_context.packages("/data/docker", str(system)) == ["policycoreutils-python-utils"]
    write(system / "usr/sbin/semanage", "")
    assert selinux_context.packages("/data/docker", str(system)) == []


def test_the_rule_comes_before_the_labels() -> None:
    assert selinux_context.commands("/data/docker") == [
        ["/usr/sbin/semanage", "fcontext", "-a", "-e", "/var/lib/docker", "/data/docker"],
        ["restorecon", "-R", "/data/docker"],
    ]
