# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import options as daemon_options
from ansible_collections.slipway.platform.plugins.module_utils.daemon import versions


@pytest.mark.parametrize(
    ("before", "after", "leaves"),
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
def test_a_change_of_the_release_line_is_announced(before: str, after: str, leaves: bool) -> None:
    assert versions.leaves_line(before, after) is leaves
    assert bool(versions.announcements("docker-ce", before, after, {})) is leaves


def announced(before: str, after: str, **options: Any) -> str:
    return " ".join(versions.announcements("docker-ce", before, after, options))


def test_a_new_minimum_api_version_is_announced() -> None:
    assert "an API older than 1.44, which is that of Docker 25.0" in announced("28.5.2", "29.0.0")
    assert "an API older than 1.24" in announced("20.10.24", "26.1.5")
    assert "an API" not in announced("26.1.5", "28.0.0")
    assert "an API" not in announced("29.0.0", "28.5.2")


def test_the_minimum_that_29_3_lowered_again_is_announced_where_it_is_still_a_new_one() -> None:
    assert "an API older than 1.40, which is that of Docker 19.03" in announced("28.5.2", "29.3.0")
    assert "an API older than 1.44" in announced("28.5.2", "29.2.1")
    assert versions.api_announcement("docker-ce", "29.0.0", "30.0.0") == []


def test_the_limit_of_open_files_is_announced_with_the_containerd_that_29_brings() -> None:
    assert "1024 files instead of 1048576 (LimitNOFILE): set docker_engine_nofile" in announced("28.5.2", "29.0.0")
    assert "LimitNOFILE" not in announced("26.1.5", "28.5.2")
    assert "LimitNOFILE" not in announced("29.7.2", "28.5.2")
    assert "LimitNOFILE" not in announced("28.5.2", "29.0.0", **{"default-ulimits": {"nofile": {}}})


@pytest.mark.parametrize(
    "settled",
    [{"features": {"containerd-snapshotter": False}}, {"storage-driver": "overlay2"}, {"userns-remap": "default"}],
)
def test_a_fleet_that_29_would_mix_is_announced_unless_it_is_settled(settled: dict[str, Any]) -> None:
    assert "set docker_engine_image_store, to have all hosts alike" in announced("28.5.2", "29.7.2")
    assert "image_store" not in announced("28.5.2", "29.7.2", **settled)


def test_upgrades_announce_removed_options_and_downgrades_missing_ones() -> None:
    up = announced("20.10.24", "26.1.5")
    assert "graph, storage-driver aufs" in up
    assert "log-driver logentries" in up
    assert "api-cors-header" not in up
    assert "does not support these options of daemon.json yet: proxies, " in announced("26.1.5", "20.10.24")
    assert "daemon.json" not in announced("26.1.5", "27.0.0")


@pytest.mark.parametrize(
    ("options", "version", "phrase"),
    [
        ({"graph": "/srv"}, "26.1.5", "graph was removed in engine 23.0: use docker_engine_data_root"),
        ({"storage-driver": "devicemapper"}, "25.0.0", "storage-driver devicemapper was removed in engine 25.0"),
        ({"storage-opts": ["overlay2.override_kernel_check=true"]}, "24.0.0", "override_kernel_check was removed"),
        ({"log-driver": "logentries"}, "26.1.5", "log-driver logentries was removed in engine 25.0"),
        ({"log-opts": {"fluentd-async-connect": "true"}}, "28.0.0", "use fluentd-async"),
        ({"disable-legacy-registry": False}, "19.03.0", "removed in engine 19.03"),
        ({"proxies": {}}, "20.10.24", "proxies is new in engine 23.0"),
        ({"firewall-backend": "nftables"}, "28.5.2", "firewall-backend is new in engine 29.0"),
        ({"bip6": "fd00::1/64"}, "27.5.1", "bip6 is new in engine 28.0"),
        ({"allow-direct-routing": True}, "28.1.1", "allow-direct-routing is new in engine 28.2"),
        ({"min-api-version": "1.24"}, "28.5.2", "min-api-version is new in engine 29.0"),
        ({"nri-opts": {}}, "29.1.5", "nri-opts is new in engine 29.2"),
        ({"default-stop-timeout": 30}, "29.6.2", "default-stop-timeout is new in engine 29.7"),
        ({"features": {"containerd-snapshotter": True}}, "23.0.6", "features containerd-snapshotter is new in engine"),
    ],
)
def test_options_that_the_version_does_not_support_are_named(
    options: dict[str, Any], version: str, phrase: str
) -> None:
    (found,) = versions.unusable(options, version)
    assert phrase in found


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ({"graph": "/srv"}, "20.10.24"),
        ({"storage-driver": "overlay2", "storage-opts": ["overlay2.size=1G"], "log-opts": {}}, "29.0.0"),
        ({"proxies": {}, "log-driver": "local"}, "26.1.5"),
        ({"features": {"containerd-snapshotter": False}}, "20.10.24"),
        ({"features": None, "nri-opts": {}, "default-stop-timeout": 30}, "29.7.2"),
    ],
)
def test_options_that_the_version_supports_are_not_named(options: dict[str, Any], version: str) -> None:
    assert versions.unusable(options, version) == []


@pytest.mark.parametrize("option", ["default-ulimits", "features", "log-opts", "storage-opts"])
@pytest.mark.parametrize("value", [1, True, "x", ["x"], {"x": 1}])
def test_an_option_of_another_type_is_left_to_dockerd(option: str, value: Any) -> None:
    """Fault: `log-opts: 5` or `features: true` in the options of a module. Outcome: no traceback."""
    for version in ("20.10.24", "29.7.2"):
        assert versions.unusable({option: value}, version) == []
    assert announced("28.5.2", "29.0.0", **{option: value})


def test_all_options_in_the_tables_are_known() -> None:
    names = [entry[2] for entry in (*versions.REMOVED, *versions.INTRODUCED) if entry[1] == "option"]
    assert set(names) <= daemon_options.KNOWN


@pytest.mark.parametrize("table", [versions.REMOVED, versions.INTRODUCED, versions.API_MINIMUM])
def test_the_tables_are_sorted_by_release(table: tuple[tuple[Any, ...], ...]) -> None:
    releases = [entry[0] for entry in table]
    assert releases == sorted(releases)


@pytest.mark.parametrize("version", ["", "29", "abc", "9" * 5000 + ".1"])
def test_a_version_that_a_repository_made_up_is_compared(version: str) -> None:
    assert versions.leaves_line("20.10.24", version)
    assert versions.announcements("docker-ce", "20.10.24", version, {})


class Module:
    """Runs commands."""

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.returncode, done.stdout, done.stderr


def test_the_installed_version_is_asked_of_dockerd(tmp_path: Path) -> None:
    dockerd = tmp_path / "dockerd"
    assert versions.installed(Module(), str(dockerd)) == ""
    dockerd.write_text("#!/bin/sh\necho Docker version 28.5.2, build e9d7da4\n")
    dockerd.chmod(0o755)
    assert versions.installed(Module(), str(dockerd)) == "28.5.2"
