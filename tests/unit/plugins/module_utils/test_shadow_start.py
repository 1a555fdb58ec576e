# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import shadow_start


def kept(options: dict[str, Any], bridges: tuple[str, ...] = (), managed_plugins: bool = False) -> dict[str, Any]:
    kept: dict[str, Any] = shadow_start.shadow_options(options, lambda name: name in bridges, managed_plugins)
    return kept


def test_what_the_shadow_replaces_is_dropped_and_the_rest_is_asked_about() -> None:
    assert kept({"data-root": "/x", "hosts": ["fd://"], "exec-root": "/x", "pidfile": "/x", "mtu": 9000}) == {
        "mtu": 9000
    }


def test_an_existing_bridge_is_left_out_with_what_depends_on_it() -> None:
    options = {"bridge": "br0", "fixed-cidr": "10.0.0.0/24"}
    assert kept(options, bridges=("br0",)) == {}
    assert kept(options) == options
    assert kept({"bridge": "none"}, bridges=("none",)) == {"bridge": "none"}


@pytest.mark.parametrize("address", ["127.0.0.1:9323", "0.0.0.0:9323", ":9323", "[::]:9323", "localhost:9323"])
def test_a_metrics_address_that_the_namespace_has_is_kept(address: str) -> None:
    assert kept({"metrics-addr": address})


def test_a_metrics_address_of_the_host_is_left_out() -> None:
    assert kept({"metrics-addr": "192.0.2.1:9323"}) == {}


def test_nothing_that_would_change_the_host_is_started() -> None:
    assert kept({"userns-remap": "default"}) == {}
    assert kept({"userns-remap": "nobody"}) == {"userns-remap": "nobody"}
    assert kept({"storage-driver": "devicemapper", "storage-opts": ["dm.thinpooldev=x"]}) == {}


def test_the_group_matters_only_for_a_socket_that_dockerd_makes_itself() -> None:
    assert "group" not in kept({"group": "docker", "hosts": ["fd://"]})
    assert "group" in kept({"group": "docker", "hosts": ["unix:///run/docker.sock"]})


def test_the_data_are_on_the_file_system_of_the_real_ones(tmp_path: Path) -> None:
    assert shadow_start.data_directory(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert shadow_start.data_directory("/proc") == "/proc"


def test_managed_plugins_are_not_missed_in_the_empty_data_root() -> None:
    assert kept({"authorization-plugins": ["opa"]}, managed_plugins=True) == {}


def test_a_data_root_that_is_a_file_is_refused_without_a_start(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    outcome = shadow_start.prove("/absent/dockerd", {"data-root": str(path)}, [], 1)
    assert outcome.verdict == shadow_start.REFUSED
    assert "is not a directory" in outcome.reason
