# SPDX-License-Identifier: Apache-2.0
"""The labels with an image's source, from real git repositories."""

import subprocess
from pathlib import Path

import pytest

from slipway.images import provenance
from slipway.images.errors import ImageError

REVISION, CREATED = "org.opencontainers.image.revision", "org.opencontainers.image.created"


def git(project: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    done = subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-02T03:04:05+0100")
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message=first")
    git(tmp_path, "tag", "--annotate", "v1", "--message=v1")
    return tmp_path


def test_revision_and_time_are_those_of_the_commit(project: Path) -> None:
    assert provenance.labels(project) == {REVISION: git(project, "rev-parse", "HEAD"), CREATED: "2026-01-02T02:04:05Z"}


def test_a_changed_file_makes_the_revision_dirty(project: Path) -> None:
    (project / "file").write_text("2")
    assert provenance.labels(project)[REVISION] == f"{git(project, 'rev-parse', 'HEAD')}-dirty"


def test_source_date_epoch_takes_precedence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert provenance.labels(project)[CREATED] == "1970-01-01T00:00:00Z"


def test_an_epoch_that_is_not_a_number_is_rejected(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ImageError, match="SOURCE_DATE_EPOCH=yesterday"):
        provenance.labels(project)


def test_without_a_repository_there_are_no_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.labels(tmp_path) == {}


def test_without_git_there_are_no_labels(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert provenance.labels(project) == {}
