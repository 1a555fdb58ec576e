# SPDX-License-Identifier: Apache-2.0
"""Which hosts docker_engine supports, and which tree of Docker's repository serves them."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.preflight import platform

from tests.support import yaml_files

PROJECT = Path(__file__).parents[5]
MATRIX = yaml_files.read(PROJECT / "roles/docker_engine/vars/main.yml")
PLATFORMS = MATRIX["__docker_engine_platforms"]
RECORDED = yaml_files.read(Path(__file__).parent / "recorded_hosts.yml")
ROOT = "https://download.docker.com/linux"


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def of(recorded: dict[str, Any]) -> Any:
        (tmp_path / "etc").mkdir()
        lines = [f'{name}="{value}"\n' for name, value in recorded["os_release"].items()]
        (tmp_path / "etc/os-release").write_text("".join(lines))
        if "init" in recorded:
            (tmp_path / "proc/1").mkdir(parents=True)
            (tmp_path / "proc/1/comm").write_text(recorded["init"] + "\n")
        else:
            (tmp_path / "run/systemd/system").mkdir(parents=True)
        monkeypatch.setattr("platform.machine", lambda: recorded.get("architecture", "x86_64"))
        return platform.read(str(tmp_path))

    return of


def problem(host: Any, baking: bool = False, own: bool = False) -> Any:
    return platform.problem(host, PLATFORMS, MATRIX["__docker_engine_trees"], baking, own)


@pytest.mark.parametrize("name", RECORDED["served"])
def test_a_host_of_the_matrix_is_served_from_its_tree(read: Any, name: str) -> None:
    host = read(RECORDED["served"][name])
    assert problem(host) is None
    tree: str = RECORDED["served"][name]["tree"]
    entry = PLATFORMS[host.id]
    assert platform.baseurl(host, entry, ROOT) == f"{ROOT}/{tree}/stable"
    assert platform.tree(host, entry, ROOT) == f"{ROOT}/{tree.split('/')[0]}"


@pytest.mark.parametrize("name", RECORDED["refused"])
def test_any_other_host_is_refused_by_one_sentence_that_names_it(read: Any, name: str) -> None:
    message = problem(read(RECORDED["refused"][name]))
    assert message.startswith(
        f"{RECORDED['refused'][name]['words']} is not supported: docker_engine supports AlmaLinux 8/9/10"
    )
    assert message.endswith("on aarch64, ppc64le, s390x, x86_64, with systemd")


@pytest.mark.parametrize("name", RECORDED["without_packages"])
def test_an_architecture_that_the_tree_lacks_is_refused_before_dnf_sees_a_404(read: Any, name: str) -> None:
    """Fault: a host whose tree of Docker's repository has no packages for its architecture (s390x, ppc64le). Outcome:
    refused in one sentence; nothing changes.
    """
    host = read(RECORDED["without_packages"][name])
    words = RECORDED["without_packages"][name]["words"]
    assert problem(host) == (
        f"Docker's repository has no packages for {words}. Set docker_engine_repo_baseurl to a repository that has them"
    )
    assert problem(host, own=True) is None


def test_a_fedora_that_came_after_the_table_is_tried_with_a_warning(read: Any) -> None:
    """Fault: a Fedora that is newer than the role. Outcome: its tree is tried, with a warning."""
    host = read({"os_release": {"NAME": "Fedora Linux", "ID": "fedora", "VERSION_ID": "45"}})
    assert problem(host) is None
    url = platform.baseurl(host, PLATFORMS["fedora"], ROOT)
    assert url == f"{ROOT}/fedora/45/x86_64/stable"
    sentence = platform.warning(host, PLATFORMS["fedora"], url)
    assert "Fedora Linux 45 is newer than 44, the newest release that Docker built for on 2026-08-20" in sentence
    known = host._replace(version="44")
    assert platform.warning(known, PLATFORMS["fedora"], url) is None


def test_no_other_distribution_is_tried_beyond_the_table(read: Any) -> None:
    host = read({"os_release": {"NAME": "CentOS Stream", "ID": "centos", "VERSION_ID": "11"}})
    assert "CentOS Stream 11 on x86_64 with systemd is not supported" in problem(host)


def test_an_image_that_is_baked_needs_no_running_systemd(read: Any) -> None:
    container = read(RECORDED["refused"]["a-container-without-systemd"])
    assert problem(container, baking=True) is None


def test_only_release_8_hides_the_packages_behind_a_module(read: Any) -> None:
    modular = {name for name in RECORDED["served"] if name.endswith("-8")}
    found = {
        name
        for name, host in RECORDED["served"].items()
        if platform.has_modules(
            platform.Host(host["os_release"]["ID"], "", host["os_release"]["VERSION_ID"], "x86_64", "systemd")
        )
    }
    assert found == modular


def test_every_distribution_of_the_matrix_is_recorded() -> None:
    assert {host["os_release"]["ID"] for host in RECORDED["served"].values()} == set(PLATFORMS)
