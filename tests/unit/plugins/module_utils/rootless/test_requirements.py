# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.rootless import requirements
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all of the path, for programs that a host has."""
    monkeypatch.setattr(requirements, "PATH", str(tmp_path))
    monkeypatch.setattr(requirements, "NEEDED", ((str(tmp_path / "newuidmap"), "shadow-utils"),))
    monkeypatch.setattr(requirements, "kernel", lambda: (6, 1))
    return tmp_path


def install(programs: Path, name: str, text: str = "") -> None:
    (programs / name).write_text(f"#!/bin/sh\n{text}\n")
    (programs / name).chmod(0o755)


def test_packages_are_named_for_what_is_missing_and_nothing_else(programs: Path) -> None:
    assert requirements.missing_packages(["auto"]) == ["shadow-utils", "slirp4netns"]
    install(programs, "newuidmap")
    assert requirements.missing_packages(["auto", "pasta"]) == ["passt", "slirp4netns"]
    install(programs, "pasta")
    assert requirements.missing_packages(["auto", "pasta"]) == []
    assert requirements.missing_packages(["slirp4netns"]) == ["slirp4netns"]


def test_old_kernels_need_fuse_overlayfs(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "newuidmap")
    install(programs, "slirp4netns")
    monkeypatch.setattr(requirements, "kernel", lambda: (4, 18))
    assert requirements.missing_packages(["auto"]) == ["fuse-overlayfs"]


def test_the_network_driver_is_chosen_by_what_is_there(programs: Path) -> None:
    install(programs, "rootlesskit", "echo 'network driver [host, pasta(experimental), gvisor-tap-vsock]'")
    assert requirements.missing_packages(["auto"]) == ["shadow-utils"]
    assert requirements.network_of("auto") == "gvisor-tap-vsock"
    install(programs, "pasta")
    assert requirements.network_of("auto") == "pasta"
    install(programs, "slirp4netns")
    assert requirements.network_of("auto") == "slirp4netns"
    assert requirements.network_of("pasta") == "pasta"


def test_a_driver_that_rootlesskit_lacks_is_refused(programs: Path) -> None:
    install(programs, "rootlesskit", "echo 'network driver [host, slirp4netns, vpnkit]'")
    with pytest.raises(RootlessError, match="does not have the network driver pasta"):
        requirements.network_of("pasta")


@pytest.mark.parametrize(
    ("controllers", "words"),
    [
        (None, ["cgroup v1", "--memory", "systemd.unified_cgroup_hierarchy=1"]),
        ("cpuset io memory pids", ["no cgroup controller cpu", "cgroup_disable"]),
        ("cpuset cpu io memory hugetlb pids", []),
    ],
)
def test_a_host_without_delegation_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, controllers: str | None, words: list[str]
) -> None:
    monkeypatch.setattr(requirements, "CGROUPS", str(tmp_path))
    if controllers:
        (tmp_path / "cgroup.controllers").write_text(controllers + "\n")
    assert requirements.has_groups_v2() == (controllers is not None)
    problem = requirements.limits_problem()
    assert bool(problem) == bool(words)
    assert all(word in problem for word in words)


def test_a_host_on_which_users_have_no_namespaces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: str) -> Any:
        return "0\n" if path.endswith("max_user_namespaces") else None

    monkeypatch.setattr(requirements, "read_text", read)
    with pytest.raises(RootlessError, match=r"max_user_namespaces is 0.*sysctl user\.max_user_namespaces=28633"):
        requirements.refuse_unprepared()


def test_privileges_of_a_program_are_its_setuid_bit_or_its_capabilities(tmp_path: Path) -> None:
    program = tmp_path / "newuidmap"
    program.touch(mode=0o755)
    assert not requirements.has_privilege(str(program))
    program.chmod(0o4755)
    assert requirements.has_privilege(str(program))
