# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import stat
import time
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import rollback


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path / "run")


def test_restore_brings_back_text_and_mode_and_removes_new_files(tmp_path: Path, directory: str) -> None:
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_bytes(b"old \xff\r\n")
    kept.chmod(0o600)
    rollback.save([str(kept), str(new)], directory)
    kept.write_text("changed")
    kept.chmod(0o644)
    new.write_text("changed")
    rollback.restore(rollback.replaced(directory))
    assert kept.read_bytes() == b"old \xff\r\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not new.exists()


def test_only_root_may_read_the_record(tmp_path: Path, directory: str) -> None:
    rollback.save([], directory)
    assert stat.S_IMODE(Path(directory).stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(rollback.record_path(directory)).stat().st_mode) == 0o600


def test_an_older_record_keeps_its_files_and_gets_the_newer_time(tmp_path: Path, directory: str) -> None:
    path = tmp_path / "file"
    path.write_text("first")
    rollback.save([str(path)], directory)
    path.write_text("second")
    between = time.clock_gettime(time.CLOCK_MONOTONIC)
    rollback.save([str(path)], directory)
    record = rollback.load(directory)
    assert rollback.is_newer_than(record, between)
    rollback.restore(record["files"])
    assert path.read_text() == "first"


def test_a_cleared_record_is_gone_and_clearing_twice_is_fine(directory: str) -> None:
    rollback.save([], directory)
    rollback.clear(directory)
    rollback.clear(directory)
    assert rollback.load(directory) is None
    assert rollback.replaced(directory) == {}


def test_a_service_started_after_the_change_has_outlived_the_record(directory: str) -> None:
    rollback.save([], directory)
    assert not rollback.is_newer_than(rollback.load(directory), time.clock_gettime(time.CLOCK_MONOTONIC))
