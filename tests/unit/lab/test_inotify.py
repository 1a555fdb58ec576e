# SPDX-License-Identifier: Apache-2.0
"""The kernel's limit of inotify instances: raised while a lab is up if possible, and enforced."""

from pathlib import Path

import pytest

from slipway.lab import inotify
from slipway.lab.errors import LabError


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of the kernel's, with Debian's default value."""
    path = tmp_path / "max_user_instances"
    path.write_text("128\n")
    monkeypatch.setattr(inotify, "LIMIT", path)
    monkeypatch.setattr(inotify, "BEFORE", tmp_path / "lab/inotify-limit")
    return path


def test_the_limit_is_raised_once_and_restored(limit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inotify.raise_limit()
    inotify.raise_limit()
    assert limit.read_text() == "1024\n"
    assert capsys.readouterr().out.count("fs.inotify.max_user_instances from 128 to 1024") == 1
    inotify.restore_limit()
    assert limit.read_text() == "128\n"


def test_a_limit_that_is_high_enough_is_kept(limit: Path) -> None:
    limit.write_text("8192\n")
    inotify.raise_limit()
    inotify.restore_limit()
    assert limit.read_text() == "8192\n"


def test_a_limit_that_has_changed_since_is_not_restored(limit: Path) -> None:
    inotify.raise_limit()
    limit.write_text("4096\n")
    inotify.restore_limit()
    assert limit.read_text() == "4096\n"


def test_a_read_only_limit_is_kept_silently(
    limit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # as with a read-only /proc/sys, even for root
    inotify.raise_limit()
    assert limit.read_text() == "128\n"
    assert capsys.readouterr().out == ""


def test_too_many_hosts_are_rejected_with_the_maximum(limit: Path) -> None:
    inotify.require_room(17)
    with pytest.raises(LabError, match=r"18 lab hosts need 126 .* is 128: use at most 17 hosts, or run `sysctl fs\."):
        inotify.require_room(18)
