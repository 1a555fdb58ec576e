# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import data_root, data_root_checks, kept_data
from hypothesis import given
from hypothesis import strategies as st

IMAGE = "image/{}/imagedb/content/sha256/ab"
BLOB = "io.containerd.content.v1.content/blobs/sha256/ab"
STORE: dict[str, Any] = {"features": {"containerd-snapshotter": True}}
NO_STORE: dict[str, Any] = {"features": {"containerd-snapshotter": False}}
# What a running engine says of itself, apart from its data root.
OVERLAY2 = {"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "xfs"]], "ServerVersion": "26.1.5"}
OVERLAYFS = {
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "ServerVersion": "29.1.0",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root that was never used, and the IDs of a user."""
    for name, path in (("subuid", 100000), ("subgid", 200000)):
        (tmp_path / name).write_text(f"# a comment\nbob:1:2\nalice:{path}:65536\ndockremap:{path + 1}:65536\n")
    monkeypatch.setattr(kept_data, "SUBORDINATE", (str(tmp_path / "subuid"), str(tmp_path / "subgid")))
    monkeypatch.setattr(data_root, "CONTAINERD_DEFAULT", str(tmp_path / "containerd"))
    root = tmp_path / "docker"
    (root / "containers").mkdir(parents=True)
    return root


def use(place: Path, driver: str = "overlay2", container: bool = True, image: bool = True) -> None:
    """Give an engine an image and a container."""
    if image and driver == "overlayfs":
        touch(place.parent / "containerd" / BLOB)
    elif image:
        touch(place / IMAGE.format(driver))
    if container:
        touch(place / "containers/ab/config.v2.json", json.dumps({"ID": "ab", "Driver": driver}))


def touch(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lost(
    root: Path, old: dict[str, Any], new: dict[str, Any], info: dict[str, Any] | None = None, running: bool = False
) -> dict[str, list[str]]:
    """Return what each option loses."""
    here = {"data-root": str(root)}
    told = {"DockerRootDir": str(root), **info} if info else {}
    losses = kept_data.losses({**here, **old}, {**here, **new}, told, ["12"] if running else [])
    return {loss.option: loss.kept for loss in losses}


CHANGES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"userns-remap": "alice"}, {}, "userns-remap"),
    ({}, {"userns-remap": "alice"}, "userns-remap"),
    ({"userns-remap": "alice"}, {"userns-remap": "default"}, "userns-remap"),
    ({"userns-remap": "alice"}, {"userns-remap": "nobody-else"}, "userns-remap"),
    ({}, {"storage-driver": "vfs"}, "storage-driver"),
    ({"storage-driver": "overlay2"}, {"storage-driver": "btrfs"}, "storage-driver"),
    ({}, STORE, "features.containerd-snapshotter"),
    (NO_STORE, STORE, "features.containerd-snapshotter"),
]


@pytest.mark.parametrize(("old", "new", "option"), CHANGES, ids=str)
@pytest.mark.parametrize("runs", [False, True])
def test_a_change_that_hides_images_and_containers_is_found(
    root: Path, old: dict[str, Any], new: dict[str, Any], option: str, runs: bool
) -> None:
    """Fault: `userns-remap`, `storage-driver` or the image store changes beside kept data. Outcome: refused with both
    ways out; nothing changes.
    """
    home = root / "100000.200000" if old.get("userns-remap") else root
    assert lost(root, old, new) == {}, "an engine that was never used has nothing to lose"
    use(home)
    info = {**OVERLAY2, "DockerRootDir": str(home)} if runs else None
    assert lost(root, old, new, info) == {option: ["images", "containers"]}
    assert lost(root, old, old, info) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"storage-driver": "overlay2"}),
        ({"storage-driver": "overlay2"}, {}),
        ({}, NO_STORE),
        (NO_STORE, {}),
        ({"userns-remap": ""}, {}),
        ({}, {"debug": True, "log-driver": "local"}),
        ({"exec-root": "/run/docker"}, {"exec-root": "/run/docker/"}),
        ({}, {"containerd-namespace": "moby", "exec-root": "/var/run/docker"}),
        ({"features": "nonsense"}, {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("info", [None, OVERLAY2], ids=["stopped", "running"])
def test_what_is_written_differently_and_means_the_same_is_no_change(
    root: Path, old: dict[str, Any], new: dict[str, Any], info: dict[str, Any] | None
) -> None:
    use(root)
    assert lost(root, old, new, info, running=True) == {}


def test_a_user_namespace_is_known_by_its_ids(root: Path) -> None:
    use(root / "100000.200000")
    assert lost(root, {"userns-remap": "alice"}, {"userns-remap": "alice:alice"}) == {}
    use(root / "7.7")
    assert lost(root, {"userns-remap": "of-a-directory-service"}, {"userns-remap": "of-a-directory-service"}) == {}
    assert lost(root, {"userns-remap": "of-a-directory-service"}, {}) == {"userns-remap": ["images", "containers"]}


def test_data_that_was_left_behind_before_is_not_lost_again(root: Path) -> None:
    use(root)
    use(root / "100000.200000", "vfs")
    assert lost(root, {"userns-remap": "alice", "storage-driver": "vfs"}, {"userns-remap": "alice", "mtu": 1400}) == {
        "storage-driver": ["images", "containers"]
    }
    assert lost(root, {"userns-remap": "alice"}, {"userns-remap": "alice", "mtu": 1400}) == {}


@pytest.mark.parametrize(("image", "container"), [(True, False), (False, True)])
def test_images_and_containers_count_each(root: Path, image: bool, container: bool) -> None:
    use(root, image=image, container=container)
    kept = ["images"] if image else ["containers"]
    assert lost(root, {}, STORE) == {"features.containerd-snapshotter": kept}
    assert lost(root, {}, {"storage-driver": "vfs"}, OVERLAY2) == {"storage-driver": kept}


@pytest.mark.parametrize("old", [STORE, {}], ids=["asked for", "by default"])
@pytest.mark.parametrize("info", [None, OVERLAYFS], ids=["stopped", "running"])
def test_the_image_store_of_containerd_is_not_left_either(
    root: Path, old: dict[str, Any], info: dict[str, Any] | None
) -> None:
    use(root, "overlayfs")
    kept = ["images", "containers"]
    assert lost(root, old, NO_STORE, info) == {"features.containerd-snapshotter": kept}
    assert lost(root, old, {**old, "storage-driver": "native"}, info) == {"storage-driver": ["containers"]}
    assert lost(root, old, {**old, "mtu": 1400}, info) == {}
    if not old:
        assert lost(root, old, STORE, info) == {}
        assert lost(root, old, {"storage-driver": "overlay2"}, info) == {"storage-driver": kept}


def test_the_image_store_stays_the_default_from_29_on_only(root: Path) -> None:
    use(root, "overlayfs")
    assert lost(root, STORE, {}, OVERLAYFS) == {}
    assert lost(root, STORE, {}, {**OVERLAYFS, "ServerVersion": "28.5.2"}) != {}
    assert lost(root, STORE, {}) != {}, "the version of a stopped engine is unknown"
    touch(root / IMAGE.format("overlay2"))
    assert lost(root, STORE, {}, OVERLAYFS) != {}, "a storage driver with data comes before it"


def test_images_of_others_in_containerd_are_not_the_engine_s(root: Path) -> None:
    (root / "containers").rmdir()
    touch(root.parent / "containerd" / BLOB)
    assert lost(root, {}, NO_STORE) == {}


@pytest.mark.parametrize(("version", "lost_images"), [("28.5.2", False), ("29.1.0", True), ("", True)])
def test_a_stopped_engine_before_29_has_no_images_in_containerd_s_store(
    root: Path, version: str, lost_images: bool
) -> None:
    """Fault: images of others in containerd beside a stopped engine before 29. Outcome: they are not taken for the
    engine's.
    """
    touch(root.parent / "containerd" / BLOB)
    found = kept_data.losses(
        {"data-root": str(root)}, {"data-root": str(root), **NO_STORE}, {"ServerVersion": version}, []
    )
    assert bool(found) == lost_images
    touch(root / "containers/ab/config.v2.json", json.dumps({"ID": "ab", "Driver": "overlayfs"}))
    assert kept_data.losses(
        {"data-root": str(root)}, {"data-root": str(root), **NO_STORE}, {"ServerVersion": version}, []
    )


@pytest.mark.parametrize("option", ["containerd-namespace", "exec-root"])
def test_running_containers_are_not_left_without_their_engine(root: Path, option: str) -> None:
    """Fault: `containerd-namespace` or `exec-root` changes beside running containers. Outcome: refused with both ways
    out; nothing changes.
    """
    new = {option: "/elsewhere"}
    assert lost(root, {}, new, OVERLAY2) == {}
    assert lost(root, {}, new, OVERLAY2, running=True) == {option: ["running containers"]}
    assert lost(root, new, {}, OVERLAY2, running=True) == {option: ["running containers"]}


def test_images_are_in_a_namespace_of_containerd(root: Path) -> None:
    use(root, "overlayfs")
    assert lost(root, STORE, {**STORE, "containerd-namespace": "x"}) == {"containerd-namespace": ["images"]}


def test_the_running_engine_is_believed_before_its_file(root: Path) -> None:
    """daemon.json was removed by hand, and the engine has not restarted since."""
    home = root / "100000.200000"
    use(home)
    info = {**OVERLAY2, "DockerRootDir": str(home)}
    (loss,) = kept_data.losses({}, {"data-root": str(root)}, info, [])
    assert (loss.option, loss.before, loss.after) == ("userns-remap", "alice", None)
    assert lost(root, {}, {"userns-remap": "alice"}, info) == {}
    assert kept_data.place_now({}, info) == (str(root), "100000.200000")


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is answered at the socket."""
    answer: dict[str, Any] = {"DockerRootDir": "/var/lib/docker"}
    monkeypatch.setattr(kept_data.engine_api, "get_json", lambda *_: answer)
    monkeypatch.setattr(kept_data, "PID_FILE", str(tmp_path / "docker.pid"))
    return answer


def test_an_engine_that_does_not_run_is_not_asked(tmp_path: Path, answer: dict[str, Any]) -> None:
    """Its socket is systemd's, which would start it."""
    assert kept_data.engine_info("/run/docker.sock") == {}
    (tmp_path / "docker.pid").write_text("999999999")
    assert kept_data.engine_info("/run/docker.sock") == {}
    (tmp_path / "docker.pid").write_text(f"{os.getpid()}\n")
    assert kept_data.engine_info("/run/docker.sock") == answer


def test_podman_s_answer_at_the_socket_is_not_an_engine_s(tmp_path: Path, answer: dict[str, Any]) -> None:
    answer["BuildahVersion"] = "1.33"
    (tmp_path / "docker.pid").write_text(str(os.getpid()))
    assert kept_data.engine_info("/run/docker.sock") == {}


@pytest.mark.parametrize(
    ("loss", "undo"),
    [
        (("userns-remap", "default", None), "from default to unset: set userns-remap: default in "),
        (("userns-remap", None, "alice"), "from unset to alice: set userns-remap: null in "),
        (
            ("features.containerd-snapshotter", False, True),
            "from false to true: set features: {containerd-snapshotter: false} in ",
        ),
    ],
)
def test_the_message_has_both_ways_out(loss: tuple[str, Any, Any], undo: str) -> None:
    message = kept_data.problem(kept_data.Loss(*loss, ["images", "containers"], "/var/lib/docker"))
    assert message.startswith("/var/lib/docker has images and containers, which ")
    also = " and leave docker_engine_image_store empty" if loss[0].startswith("features") else ""
    assert f"a change of {loss[0]} {undo}docker_engine_daemon_options{also} to keep them" in message
    assert "docker_engine_data_root_leave_data: true" in message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.sampled_from(["overlay2", "vfs", "/x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("containerd-snapshotter"), inner),
    max_leaves=3,
)
NAMES = ("data-root", "userns-remap", "storage-driver", "features", "containerd-namespace", "exec-root")
OPTIONS = st.dictionaries(st.sampled_from(NAMES), ANYTHING)


@given(OPTIONS, OPTIONS, st.sampled_from([{}, {**OVERLAY2, "DockerRootDir": "/x"}]))
def test_no_options_by_hand_give_a_traceback(old: dict[str, Any], new: dict[str, Any], info: dict[str, Any]) -> None:
    for loss in kept_data.losses(old, new, info, ["12"]):
        assert kept_data.problem(loss)


class Module:
    """What the checks need of a module."""

    def __init__(self, **params: Any) -> None:
        self.params = params

    def get_bin_path(self, _: str) -> None:
        return None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_checks_of_the_data_root_name_data_that_options_hide(tmp_path: Path, root: Path, encoding: str) -> None:
    """Fault: somebody else's `daemon.json` has an option that decides where data are. Outcome: refused with both ways
    out, before it is replaced.
    """
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({"data-root": str(root), "userns-remap": "alice"}), encoding=encoding)
    use(root / "100000.200000")
    module = Module(baking=True, dockerd="/nonexistent")
    files = (str(path), str(tmp_path / "absent.conf"))
    (hidden,) = data_root_checks.losses(module, str(root), {"live-restore": True}, *files)
    assert hidden.startswith(f"{root}/100000.200000 has images and containers")
    assert data_root_checks.losses(module, str(root), {"userns-remap": "alice"}, *files) == []
    (moved,) = data_root_checks.losses(module, "/var/lib/docker", {}, *files)
    assert f"a change of docker_engine_data_root from {root} to /var/lib/docker" in moved
