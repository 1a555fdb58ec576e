# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import trial_start


def kept(options: dict[str, Any], bridges: tuple[str, ...] = (), managed_plugins: bool = False) -> dict[str, Any]:
    kept: dict[str, Any] = trial_start.trial_options(options, lambda name: name in bridges, managed_plugins)
    return kept


def test_options_that_the_trial_replaces_are_dropped() -> None:
    assert kept({"data-root": "/x", "hosts": ["fd://"], "exec-root": "/x", "pidfile": "/x", "mtu": 9000}) == {
        "mtu": 9000
    }


def test_an_existing_bridge_is_dropped_with_its_options() -> None:
    options = {"bridge": "br0", "fixed-cidr": "10.0.0.0/24"}
    assert kept(options, bridges=("br0",)) == {}
    assert kept(options) == options
    assert kept({"bridge": "none"}, bridges=("none",)) == {"bridge": "none"}


@pytest.mark.parametrize("address", ["127.0.0.1:9323", "0.0.0.0:9323", ":9323", "[::]:9323", "localhost:9323"])
def test_a_metrics_address_that_exists_in_the_namespace_is_kept(address: str) -> None:
    assert kept({"metrics-addr": address})


def test_a_metrics_address_of_the_host_is_dropped() -> None:
    assert kept({"metrics-addr": "192.0.2.1:9323"}) == {}


def test_options_that_would_change_the_host_are_dropped() -> None:
    assert kept({"userns-remap": "default"}) == {}
    assert kept({"userns-remap": "nobody"}) == {"userns-remap": "nobody"}
    assert kept({"storage-driver": "devicemapper", "storage-opts": ["dm.thinpooldev=x"]}) == {}


def test_flags_of_the_unit_do_not_lead_the_trial_to_the_real_engine_s_data() -> None:
    """Fault: a docker.service by hand has `--containerd` and its address as two words, or its own `--pidfile`. Outcome:
    the trial start uses its own containerd and files.
    """
    real = ["--containerd", "/run/containerd/containerd.sock", "--containerd=/run/containerd/containerd.sock"]
    real += ["-g", "/data", "--config-file", "/srv/daemon.json", "--exec-root=/x", "--pidfile=/run/docker.pid"]
    flags = ["--mtu", "1400", *real, "--containerd-namespace=x", "--debug"]
    assert trial_start.inherited_flags(flags) == ["--mtu", "1400", "--containerd-namespace=x", "--debug"]


def test_the_group_is_kept_only_for_a_socket_that_dockerd_creates() -> None:
    assert "group" not in kept({"group": "docker", "hosts": ["fd://"]})
    assert "group" in kept({"group": "docker", "hosts": ["unix:///run/docker.sock"]})


def test_the_temporary_data_root_is_on_the_file_system_of_the_real_one(tmp_path: Path) -> None:
    assert trial_start.data_directory(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert trial_start.data_directory("/proc") == "/proc"


def test_a_data_root_behind_a_link_is_tried_on_its_disk(tmp_path: Path) -> None:
    """Fault: `/var/lib/docker` is a symbolic link to another disk. Outcome: the trial start is on that disk."""
    (tmp_path / "disk/docker").mkdir(parents=True)
    (tmp_path / "link").symlink_to("disk/docker")
    assert trial_start.data_directory(str(tmp_path / "link")) == str(tmp_path / "disk")
    (tmp_path / "proc").symlink_to("/proc")
    assert trial_start.data_directory(str(tmp_path / "proc")) == "/proc"


def test_a_remapped_user_reaches_the_trial_s_data_below_a_mount(tmp_path: Path) -> None:
    """Fault: `userns-remap` with a data root that is a mount in use. Outcome: validated, and accepted."""
    run, data = tmp_path / "run", tmp_path / "data"
    for path in (run, data):
        path.mkdir(mode=0o700)
    words = trial_start.command("dockerd", {"debug": True}, [], str(data), str(run), 1, hidden=True)
    assert words[words.index("--data-root") + 1] == str(run / "data")
    assert 'mount --bind "$1" "$2" || exit' in words[words.index("-c") + 1]
    assert run.stat().st_mode & 0o777 == 0o711
    assert (run / "daemon.json").stat().st_mode & 0o777 == 0o600


def test_a_trial_that_is_slow_is_not_a_rejection() -> None:
    """Fault: dockerd is not ready when the trial's time is up. Outcome: a warning; the result is unknown."""
    outcome = trial_start.outcome(ready=False, exited=False, lines=["Loading containers: start."], timeout=30)
    assert outcome.verdict == trial_start.UNKNOWN
    assert outcome.reason == "not ready within 30 seconds (Loading containers: start.)"


def test_plugins_of_the_real_data_root_are_dropped() -> None:
    assert kept({"authorization-plugins": ["opa"]}, managed_plugins=True) == {}


def test_a_data_root_that_is_a_file_is_rejected_without_a_start(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    outcome = trial_start.validate("/absent/dockerd", {"data-root": str(path)}, [], 1)
    assert outcome.verdict == trial_start.REFUSED
    assert "is not a directory" in outcome.reason


def test_the_trial_forwards_ipv6_where_the_host_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: `ipv6: true` with nftables, in the trial start's new network namespace. Outcome: a host that forwards
    is not refused.
    """
    names = ("all", "default")
    for name in names:
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(trial_start, "IPV6_FORWARDING", tuple(str(tmp_path / name) for name in names))
    script = " ".join(trial_start.command("/usr/bin/dockerd", {}, [], str(tmp_path), str(tmp_path), 1, hidden=False))
    assert all(f"echo 1 >{tmp_path / name}; " in script for name in names)
    (tmp_path / "all").write_text("0\n")
    (tmp_path / "second").mkdir()
    run = str(tmp_path / "second")
    script = " ".join(trial_start.command("/usr/bin/dockerd", {}, [], str(tmp_path), run, 1, hidden=False))
    assert f">{tmp_path / 'all'};" not in script


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path(trial_start.IPV6_FORWARDING[0]).exists(),
    reason="needs root and IPv6",
)
def test_the_namespace_of_the_trial_forwards_ipv6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new network namespace does not forward, whatever the host does."""
    monkeypatch.setattr(trial_start, "read_text", lambda path: "1")
    dockerd = tmp_path / "dockerd"
    dockerd.write_text(f"#!/bin/sh\ncat {' '.join(trial_start.IPV6_FORWARDING)}\n")
    dockerd.chmod(0o755)
    command = trial_start.command(str(dockerd), {}, [], str(tmp_path), str(tmp_path), 10, hidden=False)
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n1\n"
