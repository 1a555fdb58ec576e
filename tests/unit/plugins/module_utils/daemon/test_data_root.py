# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import data_root

# The files of an engine 26.1 and its containerd that were started and never used.
UNUSED = (
    "engine/volumes/metadata.db",
    "engine/image/overlay2/imagedb/content/sha256/",
    "engine/image/overlay2/repositories.json",
    "engine/containers/",
    "engine/plugins/tmp/",
    "engine/swarm/",
    "engine/buildkit/cache.db",
    "containerd/io.containerd.metadata.v1.bolt/meta.db",
    "containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/",
)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[str, str]:
    for name in UNUSED:
        make(tmp_path, name)
    return str(tmp_path / "engine"), str(tmp_path / "containerd")


def contents(engine: str, containerd: str) -> list[str]:
    return [*data_root.engine_contents(engine), *data_root.containerd_contents(containerd)]


def make(directory: Path, name: str) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("/"):
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.touch()


@pytest.mark.parametrize(
    ("text", "root"),
    [
        (None, "/var/lib/docker"),
        ('{"data-root": "/data"}', "/data"),
        ('{"graph": "/data"}', "/data"),
        ("{broken", "/var/lib/docker"),
        ("[]", "/var/lib/docker"),
    ],
)
def test_the_data_root_is_read_from_daemon_json(text: str | None, root: str) -> None:
    assert data_root.from_daemon_json(text) == root


def test_the_root_of_containerd_moves_with_that_of_the_engine() -> None:
    assert data_root.containerd_root("/var/lib/docker") == "/var/lib/containerd"
    assert data_root.containerd_root("/data/docker") == "/data/docker/containerd/daemon"


def test_an_unused_engine_has_no_contents(roots: tuple[str, str], tmp_path: Path) -> None:
    assert contents(*roots) == []
    assert contents(str(tmp_path / "absent"), str(tmp_path / "absent")) == []


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("engine/image/overlay2/imagedb/content/sha256/ab", "images"),
        ("engine/containers/ab/", "containers"),
        ("engine/volumes/ab/_data/", "volumes"),
        ("engine/231072.231072/containers/ab/", "containers"),
        ("engine/swarm/docker-state.json", "a swarm"),
        ("engine/plugins/ab/", "plugins"),
        ("containerd/io.containerd.content.v1.content/blobs/sha256/ab", "images"),
    ],
)
def test_user_data_is_named(roots: tuple[str, str], tmp_path: Path, name: str, what: str) -> None:
    make(tmp_path, name)
    assert contents(*roots) == [what]


def test_a_move_away_from_data_is_reported_with_both_remedies(tmp_path: Path) -> None:
    old, drop_in = tmp_path / "old", tmp_path / "slipway.conf"
    drop_in.touch()
    assert data_root.move_problem("/data/new", str(old), str(drop_in)) is None
    make(tmp_path, "old/containers/ab/")
    make(tmp_path, "old/volumes/ab/_data/")
    make(tmp_path, "old/image/overlay2/imagedb/content/sha256/ab")
    make(tmp_path, "old/containerd/daemon/io.containerd.content.v1.content/blobs/sha256/ab")
    message = data_root.move_problem("/data/new", str(old), str(drop_in)) or ""
    assert f"{old} holds images, containers and volumes and {old}/containerd/daemon holds images" in message
    assert "docker_engine_data_root_leave_data: true" in message
    assert f"cp -a {old}/containerd/daemon/. /data/new/containerd/daemon" in message
    assert data_root.move_problem(str(old), str(old), str(drop_in)) is None


def test_another_name_of_the_same_directory_is_not_a_move(tmp_path: Path) -> None:
    make(tmp_path, "old/containers/ab/")
    (tmp_path / "link").symlink_to("old")
    (tmp_path / "slipway.conf").touch()
    assert data_root.move_problem(f"{tmp_path}/link", f"{tmp_path}/old", f"{tmp_path}/slipway.conf") is None


def test_data_of_containerd_that_did_not_move_with_the_engine_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """data-root was set in daemon.json, and is now replaced by docker_engine_data_root."""
    monkeypatch.setattr(data_root, "CONTAINERD_DEFAULT", str(tmp_path / "containerd"))
    make(tmp_path, "containerd/io.containerd.content.v1.content/blobs/sha256/ab")
    message = data_root.move_problem("/data/docker", "/data/docker", str(tmp_path / "absent")) or ""
    assert message.startswith(f"{tmp_path}/containerd holds images, ")
    assert "cp -a /data/docker/. " not in message


def test_managed_plugins_are_detected(tmp_path: Path) -> None:
    assert not data_root.has_managed_plugins(str(tmp_path))
    (tmp_path / "plugins/tmp").mkdir(parents=True)
    (tmp_path / "plugins/storage").mkdir()
    assert not data_root.has_managed_plugins(str(tmp_path))
    (tmp_path / "plugins/0123").mkdir()
    assert data_root.has_managed_plugins(str(tmp_path))


@pytest.mark.parametrize("state", ["swarm/docker-state.json", "100000.100000/swarm/docker-state.json"])
def test_a_node_of_a_swarm_does_without_live_restore(tmp_path: Path, state: str) -> None:
    options = {"data-root": str(tmp_path), "live-restore": True, "debug": True}
    (tmp_path / state).parent.mkdir(parents=True)
    assert data_root.without_live_restore(options) == (options, False), "it left the swarm"
    (tmp_path / state).write_text("{}")
    assert data_root.without_live_restore(options) == ({"data-root": str(tmp_path), "debug": True}, True)
    off = dict(options, **{"live-restore": False})
    assert data_root.without_live_restore(off) == (off, False)
    assert data_root.without_live_restore(None) == (None, False)
