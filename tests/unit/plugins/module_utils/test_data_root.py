# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import data_root

# What an engine 26.1 and its containerd leave that were started and never used.
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


def kept(engine: str, containerd: str) -> list[str]:
    return [*data_root.kept_by_engine(engine), *data_root.kept_by_containerd(containerd)]


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
def test_the_root_in_force_is_what_dockerd_reads(text: str | None, root: str) -> None:
    assert data_root.in_force(text) == root


def test_containerd_s_root_moves_with_the_engine_s_and_not_before() -> None:
    assert data_root.containerd_root("/var/lib/docker") == "/var/lib/containerd"
    assert data_root.containerd_root("/data/docker") == "/data/docker/containerd/daemon"


def test_an_engine_that_was_only_started_keeps_nothing(roots: tuple[str, str], tmp_path: Path) -> None:
    assert kept(*roots) == []
    assert kept(str(tmp_path / "absent"), str(tmp_path / "absent")) == []


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
def test_what_somebody_may_miss_is_named(roots: tuple[str, str], tmp_path: Path, name: str, what: str) -> None:
    make(tmp_path, name)
    assert kept(*roots) == [what]


def test_a_move_away_from_data_is_a_sentence_with_both_ways_out(tmp_path: Path) -> None:
    old, daemon_json, drop_in = tmp_path / "old", tmp_path / "daemon.json", tmp_path / "slipway.conf"
    daemon_json.write_text(json.dumps({"data-root": str(old)}))
    drop_in.touch()
    files = (str(daemon_json), str(drop_in))
    assert data_root.move_problem("/data/new", *files) is None
    make(tmp_path, "old/containers/ab/")
    make(tmp_path, "old/volumes/ab/_data/")
    make(tmp_path, "old/image/overlay2/imagedb/content/sha256/ab")
    make(tmp_path, "old/containerd/daemon/io.containerd.content.v1.content/blobs/sha256/ab")
    sentence = data_root.move_problem("/data/new", *files) or ""
    assert f"{old} holds images, containers and volumes and {old}/containerd/daemon holds images" in sentence
    assert "docker_engine_data_root_leave_data: true" in sentence
    assert f"cp -a {old}/containerd/daemon/. /data/new/containerd/daemon" in sentence
    assert data_root.move_problem(str(old), *files) is None


def test_containerd_s_data_are_missed_too_where_the_engine_s_have_moved_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody wrote data-root into daemon.json, and now says docker_engine_data_root instead."""
    monkeypatch.setattr(data_root, "CONTAINERD_DEFAULT", str(tmp_path / "containerd"))
    make(tmp_path, "containerd/io.containerd.content.v1.content/blobs/sha256/ab")
    daemon_json = tmp_path / "daemon.json"
    daemon_json.write_text('{"data-root": "/data/docker"}')
    sentence = data_root.move_problem("/data/docker", str(daemon_json), str(tmp_path / "absent")) or ""
    assert sentence.startswith(f"{tmp_path}/containerd holds images, ")
    assert "cp -a /data/docker/. " not in sentence


def test_managed_plugins_are_seen(tmp_path: Path) -> None:
    assert not data_root.has_managed_plugins(str(tmp_path))
    (tmp_path / "plugins/tmp").mkdir(parents=True)
    (tmp_path / "plugins/storage").mkdir()
    assert not data_root.has_managed_plugins(str(tmp_path))
    (tmp_path / "plugins/0123").mkdir()
    assert data_root.has_managed_plugins(str(tmp_path))
