# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Version and commit of a collection, in real git repositories."""

import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils.collection_origin import origin


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "galaxy.yml").write_text("version: 1.2.3\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "https://alice:secret@git.internal/slipway")
    git(tmp_path, "add", "galaxy.yml")
    git(tmp_path, "commit", "--quiet", "--message=first")
    return tmp_path


def test_a_clone_has_a_commit(clone: Path) -> None:
    assert origin(str(clone)) == {"version": "1.2.3", "commit": git(clone, "rev-parse", "HEAD")}


def test_a_changed_file_makes_the_commit_dirty(clone: Path) -> None:
    (clone / "galaxy.yml").write_text("version: 1.2.4\n")
    assert origin(str(clone)) == {"version": "1.2.4", "commit": f"{git(clone, 'rev-parse', 'HEAD')}-dirty"}


def test_without_git_only_the_version_is_known(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert origin(str(clone)) == {"version": "1.2.3", "commit": ""}


def test_an_installed_collection_does_not_claim_the_commit_of_the_repository_around_it(clone: Path) -> None:
    installed = clone / "collections/slipway/platform"
    installed.mkdir(parents=True)
    (installed / "MANIFEST.json").write_text(json.dumps({"collection_info": {"version": "2.0.0"}}))
    assert origin(str(installed)) == {"version": "2.0.0", "commit": ""}
