# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.mirror import tree as mirror_tree
from ansible_collections.slipway.platform.plugins.module_utils.mirror.error import MirrorError


@pytest.fixture
def tree(tmp_path: Path) -> Any:
    return mirror_tree.Tree(str(tmp_path), "centos", "9", "x86_64")


def fill(folder: str, *names: str) -> str:
    for name in names:
        (Path(folder) / "Packages" / name).write_text(name)
    return folder


def test_publishing_serves_the_new_content_and_removes_the_old(tree: Any) -> None:
    old = fill(tree.stage(), "old.rpm")
    tree.publish(old)
    new = fill(tree.stage(), "new.rpm")
    assert (Path(tree.link) / "Packages/old.rpm").exists()
    assert tree.leftovers() == [new]
    tree.publish(new)
    assert [Path(path).name for path in mirror_tree.packages(tree.served())] == ["new.rpm"]
    assert tree.folders() == [new]
    assert not Path(old).exists()


def test_the_link_is_relative_so_that_the_mirror_can_be_moved(tree: Any) -> None:
    tree.publish(tree.stage())
    assert Path(tree.link).readlink().name == str(Path(tree.link).readlink())


def test_others_may_read_what_is_served(tree: Any) -> None:
    assert Path(tree.stage()).stat().st_mode & 0o777 == 0o755


def test_a_link_left_by_an_interrupted_run_is_replaced(tree: Any) -> None:
    folder = tree.stage()
    (Path(tree.parent) / ".stable").symlink_to("nowhere")
    tree.publish(folder)
    assert tree.served() == folder


def test_a_dangling_link_serves_nothing(tree: Any) -> None:
    tree.stage()
    Path(tree.link).symlink_to(".stable-gone")
    assert tree.served() is None
    assert mirror_tree.packages(tree.served()) == []


def test_a_foreign_directory_is_refused(tree: Any) -> None:
    Path(tree.link).mkdir(parents=True)
    with pytest.raises(MirrorError, match="move it away"):
        tree.refuse_foreign()


def test_removing_a_tree_removes_empty_parents_and_no_others(tree: Any, tmp_path: Path) -> None:
    tree.publish(tree.stage())
    other = mirror_tree.Tree(str(tmp_path), "centos", "10", "x86_64")
    other.publish(other.stage())
    assert [found.name for found in mirror_tree.existing(str(tmp_path))] == [other.name, tree.name]
    tree.remove()
    assert sorted(path.name for path in (tmp_path / "linux/centos").iterdir()) == ["10"]
    assert [found.name for found in mirror_tree.existing(str(tmp_path))] == [other.name]


def test_discarded_content_leaves_no_trace(tmp_path: Path) -> None:
    tree = mirror_tree.Tree(str(tmp_path / "mirror"), "centos", "9", "x86_64")
    (tmp_path / "other").touch()
    tree.discard(tree.stage())
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
