# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import files
from hypothesis import given
from hypothesis import strategies as st


def test_reading_a_missing_file_returns_none(tmp_path: Path) -> None:
    assert files.read_text(str(tmp_path / "absent")) is None


def test_parent_directories_are_created_and_the_mode_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    files.write_atomically(str(path), "text", 0o600)
    assert (path.read_text(), path.stat().st_mode & 0o7777) == ("text", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.write_atomically(str(tmp_path / "a/b/file"), "text", 0o644)
        files.make_directory(str(tmp_path / "c/private"), 0o700)
        files.make_directory(str(tmp_path / "c"), 0o700)
    finally:
        os.umask(before)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o755, "a/b": 0o755, "a/b/file": 0o644, "c": 0o755, "c/private": 0o700}


def test_a_directory_in_place_of_a_file_is_reported_with_the_remedy(tmp_path: Path) -> None:
    """As when a container mounts /etc/docker/daemon.json before it exists."""
    folder = tmp_path / "daemon.json"
    folder.mkdir()
    for use in (files.read_text, files.remove):
        with pytest.raises(files.WriteError, match=rf"daemon.json is a directory, .*rmdir {folder}"):
            use(str(folder))
    (tmp_path / "docker").touch()
    for use in (files.read_text, files.remove):
        with pytest.raises(files.WriteError, match=rf"{tmp_path}/docker is not a directory: move it away"):
            use(str(tmp_path / "docker/daemon.json"))


def test_a_pipe_or_a_device_in_place_of_a_file_does_not_keep_its_reader(tmp_path: Path) -> None:
    """As a user may put it into their home, where root reads daemon.json and config.json."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "masked").symlink_to("/dev/null")
    for name in ("pipe", "endless"):
        with pytest.raises(files.WriteError, match=rf"rm {tmp_path}/{name}"):
            files.read_text(str(tmp_path / name))
    assert files.read_text(str(tmp_path / "masked")) == ""


@given(st.binary())
def test_any_bytes_survive_a_round_trip(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(data)
    text = files.read_text(str(path))
    files.write_atomically(str(path), text, 0o644)
    assert path.read_bytes() == data


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError):
        files.write_atomically(str(path), 5, 0o644)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_through_a_symbolic_link_keeps_the_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    files.write_atomically(str(link), "new", 0o644)
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_link_to_a_device_is_refused_and_the_device_stays(tmp_path: Path) -> None:
    """Fault: a unit that is to be written is masked, which is a link to /dev/null. Outcome: refused, also by a dry run;
    /dev/null stays.
    """
    device, link = tmp_path / "null", tmp_path / "masked.service"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root can make a device")
    link.symlink_to(device)
    for use in (files.write_atomically, files.is_up_to_date):
        with pytest.raises(files.WriteError, match=rf"masked.service is a link to .*null, .* \(rm {link}\)"):
            use(str(link), "text", 0o644)
        with pytest.raises(files.WriteError, match=r"leads to the device .*null"):
            use(str(device), "text", 0o644)
    assert device.is_char_device()
    files.put(str(link), None, 0o644)
    assert (link.is_symlink(), device.is_char_device()) == (False, True)


def test_text_mode_and_absence_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert files.is_up_to_date(str(path), None, 0o644)
    files.put(str(path), "text", 0o644)
    assert files.is_up_to_date(str(path), "text", 0o644)
    assert not files.is_up_to_date(str(path), "text", 0o600)
    assert not files.is_up_to_date(str(path), "other", 0o644)
    assert not files.is_up_to_date(str(path), None, 0o644)
    files.put(str(path), None, 0o644)
    files.put(str(path), None, 0o644)
    assert not path.exists()


def test_the_nearest_existing_parent_is_found(tmp_path: Path) -> None:
    assert files.nearest_existing_parent(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert files.nearest_existing_parent(str(tmp_path)) == str(tmp_path)


def test_files_are_removed_after_others_are_written(tmp_path: Path) -> None:
    """A file that refers to another one is rewritten before the other is removed."""
    other, referring = tmp_path / "other", tmp_path / "referring"
    other.write_text("old")
    unwritable = tmp_path / "other" / "below-a-file"
    with pytest.raises(OSError):
        files.put_all([(str(other), None, 0o644), (str(unwritable), "text", 0o644)])
    assert other.exists()
    files.put_all([(str(other), None, 0o644), (str(referring), "text", 0o644)])
    assert not other.exists()
    assert referring.read_text() == "text"


def test_a_write_error_names_the_file_and_the_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"/folder cannot be written: Is a directory"):
        files.write_atomically(str(tmp_path / "folder"), "text", 0o644)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"], "a partial file was left behind"


def test_only_an_empty_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "full/empty").mkdir(parents=True)
    files.remove_if_empty(str(tmp_path / "full"))
    files.remove_if_empty(str(tmp_path / "full/empty"))
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    files.remove_if_empty(str(tmp_path / "full"))
    assert list(tmp_path.iterdir()) == []
