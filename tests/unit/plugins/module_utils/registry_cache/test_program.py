# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The program of the cache's host, on files."""

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).parents[5] / "roles/registry_cache/files/slipway_registry_cache.py"
DAY = 24 * 3600


@pytest.fixture
def program() -> ModuleType:
    specification = importlib.util.spec_from_file_location("slipway_registry_cache", PROGRAM)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def blob(cache: Path, name: str, size: int, used: float, read: float | None = None) -> Path:
    path = cache / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))
    now = time.time()
    os.utime(path, (now - (used if read is None else read), now - used))
    return path


def test_a_cache_within_its_limit_keeps_everything(program: ModuleType, tmp_path: Path) -> None:
    kept = blob(tmp_path, "aaa", 100, 9 * DAY)
    program.clean_up(str(tmp_path), 100)
    assert kept.exists()


def test_what_was_not_used_for_longest_goes_down_to_the_low_mark(program: ModuleType, tmp_path: Path) -> None:
    old = blob(tmp_path, "aaa", 30, 3 * DAY)
    read_since = blob(tmp_path, "bbb", 30, 9 * DAY, read=DAY)
    newer = blob(tmp_path, "ccc", 50, 2 * DAY)
    newest = blob(tmp_path, "ddd", 50, DAY / 2)
    program.clean_up(str(tmp_path), 110)
    assert [path.exists() for path in (old, newer, read_since, newest)] == [False, False, True, True]
    assert not old.parent.exists()


def test_what_is_used_now_stays_and_the_check_says_so(program: ModuleType, tmp_path: Path) -> None:
    """Fault: the cache is larger than its limit, and all of it has just been stored. Outcome: nothing is removed, and
    the check fails.
    """
    fresh = blob(tmp_path, "aaa", 200, 5)
    with pytest.raises(program.Unwell, match="registry_cache_limit_gb"):
        program.clean_up(str(tmp_path), 100)
    assert fresh.exists()


def test_a_blob_that_the_registry_removes_or_fetches_meanwhile_does_not_stop_a_clean_up(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, fetched, last = (blob(tmp_path, name, 50, days * DAY) for name, days in (("aa", 3), ("bb", 2), ("cc", 1)))
    (fetched.parent / "data2").write_text("x")
    listed = list(program.found(str(tmp_path)))
    gone.unlink()
    monkeypatch.setattr(program, "found", lambda root: listed)
    program.clean_up(str(tmp_path), 50)
    assert not fetched.exists()
    assert not last.exists()


def test_links_and_downloads_count_as_well(program: ModuleType, tmp_path: Path) -> None:
    old = blob(tmp_path, "aaa", 60, DAY)
    upload = tmp_path / "docker/registry/v2/repositories/library/x/_uploads/1/data"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(bytes(60))
    program.clean_up(str(tmp_path), 100)
    assert not old.exists()
    assert upload.exists()


def test_a_configuration_without_upstream_is_read_only(program: ModuleType) -> None:
    config = {"proxy": {"remoteurl": "x"}, "storage": {"delete": {"enabled": True}}}
    program.read_only(config)
    assert config == {"storage": {"delete": {"enabled": True}, "maintenance": {"readonly": {"enabled": True}}}}


def test_a_helper_that_is_missing_or_fails_is_named(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: the cache's credential helper is missing, fails or answers nonsense. Outcome: the start fails, and names
    it.
    """
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(program.Unwell, match="docker-credential-lab is not installed"):
        program.credentials("lab", "https://registry-1.docker.io")
    helper = tmp_path / "docker-credential-lab"
    for text in ("exit 1", "echo nonsense", "echo '[]'"):
        helper.write_text(f"#!/bin/sh\n{text}\n")
        helper.chmod(0o755)
        with pytest.raises(program.Unwell, match="docker-credential-lab get"):
            program.credentials("lab", "https://registry-1.docker.io")
    helper.write_text('#!/bin/sh\nread server; echo "{\\"Username\\": \\"$server\\", \\"Secret\\": \\"s\\"}"\n')
    helper.chmod(0o755)
    assert program.credentials("lab", "https://registry-1.docker.io") == ("https://index.docker.io/v1/", "s")
