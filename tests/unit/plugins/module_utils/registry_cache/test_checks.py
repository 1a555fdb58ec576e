# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What a check and a purge find in the directory of a cache that may be running."""

import os
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import checks, paths


def test_files_that_the_registry_moves_meanwhile_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: hosts pull while a run measures the cache. Outcome: it goes on."""
    (tmp_path / "data").write_bytes(bytes(7))
    monkeypatch.setattr(os, "walk", lambda directory: [(directory, [], ["gone", "data"])])
    assert checks.used(str(tmp_path), 100) == 7


def test_a_purge_is_of_what_the_registry_writes_and_ends_with_the_mark_of_an_account() -> None:
    """Fault: the directory of the cache has other files too. Outcome: a purge leaves them alone."""
    found = paths.data("/srv")
    assert "/srv" not in found
    assert found[-1] == "/srv/pulled-with-an-account"
    assert {"/srv/docker", "/srv/scheduler-state.json", paths.AUTHORITY} <= set(found)
