# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import daemon_options, engine_versions


@pytest.mark.parametrize(
    ("before", "after", "jump"),
    [
        ("20.10.24", "26.1.5", True),
        ("26.1.5", "20.10.24", True),
        ("28.5.2", "29.0.0", True),
        ("26.0.0", "26.1.5", False),
        ("20.10.7", "20.10.24", False),
        ("18.06.3.ce", "18.09.9", True),
        ("1.12.6", "1.13.1", True),
        ("17.05.0.ce", "20.10.24", True),
    ],
)
def test_a_jump_leaves_the_line_within_which_docker_promises(before: str, after: str, jump: bool) -> None:
    assert engine_versions.is_jump(before, after) is jump
    assert bool(engine_versions.announcements("docker-ce", before, after)) is jump


def announced(before: str, after: str) -> str:
    return " ".join(engine_versions.announcements("docker-ce", before, after))


def test_a_jump_over_the_api_s_minimum_names_it() -> None:
    assert "an API older than 1.44, the one of Docker 25.0" in announced("28.5.2", "29.0.0")
    assert "an API older than 1.24" in announced("20.10.24", "26.1.5")
    assert "an API" not in announced("26.1.5", "28.0.0")
    assert "an API" not in announced("29.0.0", "28.5.2")


def test_the_way_up_names_what_is_gone_and_the_way_down_what_is_not_there_yet() -> None:
    up = announced("20.10.24", "26.1.5")
    assert "graph, storage-driver aufs" in up
    assert "log-driver logentries" in up
    assert "api-cors-header" not in up
    assert "does not know these in daemon.json yet: proxies." in announced("26.1.5", "20.10.24")
    assert "daemon.json" not in announced("26.1.5", "27.0.0")


@pytest.mark.parametrize(
    ("options", "version", "phrase"),
    [
        ({"graph": "/srv"}, "26.1.5", "graph is gone since engine 23.0: write data-root"),
        ({"storage-driver": "devicemapper"}, "25.0.0", "storage-driver devicemapper is gone since engine 25.0"),
        ({"storage-opts": ["overlay2.override_kernel_check=true"]}, "24.0.0", "override_kernel_check is gone"),
        ({"log-driver": "logentries"}, "26.1.5", "log-driver logentries is gone since engine 25.0"),
        ({"log-opts": {"fluentd-async-connect": "true"}}, "28.0.0", "write fluentd-async"),
        ({"disable-legacy-registry": False}, "19.03.0", "gone since engine 19.03"),
        ({"proxies": {}}, "20.10.24", "proxies is new in engine 23.0"),
        ({"firewall-backend": "nftables"}, "28.5.2", "firewall-backend is new in engine 29.0"),
    ],
)
def test_an_option_that_the_version_does_not_know_is_named(options: dict[str, Any], version: str, phrase: str) -> None:
    (found,) = engine_versions.unusable(options, version)
    assert phrase in found


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ({"graph": "/srv"}, "20.10.24"),
        ({"storage-driver": "overlay2", "storage-opts": ["overlay2.size=1G"], "log-opts": {}}, "29.0.0"),
        ({"proxies": {}, "log-driver": "local"}, "26.1.5"),
    ],
)
def test_an_option_that_the_version_knows_is_not(options: dict[str, Any], version: str) -> None:
    assert engine_versions.unusable(options, version) == []


def test_every_option_in_the_table_is_one_of_dockerd() -> None:
    names = [entry[2] for entry in (*engine_versions.REMOVED, *engine_versions.INTRODUCED) if entry[1] == "option"]
    assert set(names) <= daemon_options.KNOWN


@pytest.mark.parametrize("table", [engine_versions.REMOVED, engine_versions.INTRODUCED, engine_versions.API_MINIMUM])
def test_the_tables_are_in_the_order_of_the_releases(table: tuple[tuple[Any, ...], ...]) -> None:
    releases = [entry[0] for entry in table]
    assert releases == sorted(releases)
