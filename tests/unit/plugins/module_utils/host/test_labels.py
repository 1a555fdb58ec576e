# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""When there is a label to set. That the right one is set is proven with a policy: tests/lab/test_machine_hosts.py."""

import errno
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import files, labels


def policy(set_labels: dict[str, str], **changed: Any) -> SimpleNamespace:
    """Return a library like libselinux with a policy that has one label for all new files of a kind."""
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory"}
    functions = {
        "is_selinux_enabled": lambda: 1,
        "lgetfilecon_raw": lambda path: [0, f"label of {Path(path).name}"],
        "matchpathcon": lambda path, kind: [0, f"policy of {kinds[kind]} {Path(path).name}"],
        "lsetfilecon": lambda path, label: set_labels.update({label: path}),
    }
    return SimpleNamespace(**functions | changed)


def refuse(*_: Any) -> None:
    raise OSError(errno.ENOTSUP, "Operation not supported")


def test_new_files_get_the_label_of_the_policy_and_replaced_ones_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, str] = {}
    monkeypatch.setattr(labels, "selinux", policy(found))
    (tmp_path / "old").touch()
    for path in ("old", "folder/new"):
        files.write_atomically(str(tmp_path / path), "text", 0o644)
    assert list(found) == ["label of old", "policy of directory folder", "policy of file new"]
    assert found["policy of directory folder"] == str(tmp_path / "folder")
    assert Path(found["label of old"]).parent == tmp_path, "a file is labelled before it has its name"
    assert not Path(found["label of old"]).exists()


@pytest.mark.parametrize(
    "library",
    [
        None,
        policy({}, is_selinux_enabled=lambda: 0, lsetfilecon=refuse, matchpathcon=refuse),
        policy({}, lgetfilecon_raw=refuse, matchpathcon=refuse),
        policy({}, lsetfilecon=refuse),
    ],
    ids=["no library", "SELinux is off", "a file system without labels", "a policy that refuses"],
)
def test_files_are_written_where_no_label_can_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: SimpleNamespace | None
) -> None:
    monkeypatch.setattr(labels, "selinux", library)
    path = tmp_path / "folder/file"
    for text in ("first", "second"):
        files.write_atomically(str(path), text, 0o644)
        assert path.read_text() == text
