# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import file_io
from hypothesis import given
from hypothesis import strategies as st


def test_an_absent_file_has_no_text(tmp_path: Path) -> None:
    assert file_io.read_text(str(tmp_path / "absent")) is None


def test_directories_are_made_and_the_mode_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    file_io.write_atomically(str(path), "text", 0o600)
    assert (path.read_text(), path.stat().st_mode & 0o7777) == ("text", 0o600)
    assert list(path.parent.iterdir()) == [path]


@given(st.binary())
def test_any_bytes_survive_a_round_trip(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(data)
    text = file_io.read_text(str(path))
    file_io.write_atomically(str(path), text, 0o644)
    assert path.read_bytes() == data


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError):
        file_io.write_atomically(str(path), 5, 0o644)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    file_io.write_atomically(str(link), "new", 0o644)
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_text_mode_and_absence_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert file_io.is_as_wanted(str(path), None, 0o644)
    file_io.put(str(path), "text", 0o644)
    assert file_io.is_as_wanted(str(path), "text", 0o644)
    assert not file_io.is_as_wanted(str(path), "text", 0o600)
    assert not file_io.is_as_wanted(str(path), "other", 0o644)
    assert not file_io.is_as_wanted(str(path), None, 0o644)
    file_io.put(str(path), None, 0o644)
    file_io.put(str(path), None, 0o644)
    assert not path.exists()


def test_the_nearest_existing_parent_is_found(tmp_path: Path) -> None:
    assert file_io.nearest_existing_parent(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert file_io.nearest_existing_parent(str(tmp_path)) == str(tmp_path)


def test_what_is_removed_goes_after_what_is_written(tmp_path: Path) -> None:
    """A file that refers to another one is rewritten before the other one goes."""
    other, referring = tmp_path / "other", tmp_path / "referring"
    other.write_text("old")
    unwritable = tmp_path / "other" / "below-a-file"
    with pytest.raises(OSError):
        file_io.put_all([(str(other), None, 0o644), (str(unwritable), "text", 0o644)])
    assert other.exists()
    file_io.put_all([(str(other), None, 0o644), (str(referring), "text", 0o644)])
    assert not other.exists()
    assert referring.read_text() == "text"


def test_a_file_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"/folder cannot be written: Is a directory"):
        file_io.write_atomically(str(tmp_path / "folder"), "text", 0o644)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"], "half a file was left"


def test_only_an_empty_directory_goes(tmp_path: Path) -> None:
    (tmp_path / "full/empty").mkdir(parents=True)
    file_io.remove_if_empty(str(tmp_path / "full"))
    file_io.remove_if_empty(str(tmp_path / "full/empty"))
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    file_io.remove_if_empty(str(tmp_path / "full"))
    assert list(tmp_path.iterdir()) == []
