# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import repository_files

OWN = "[docker-ce-stable]\nname=own\n"


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for /etc with empty directories for repositories and overrides, and no dnf.conf."""
    for folder in ("yum.repos.d", "repos.override.d"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(repository_files, "DNF_CONFIG", str(tmp_path / "dnf.conf"))
    monkeypatch.setattr(repository_files, "DIRECTORIES", (str(tmp_path / "yum.repos.d"),))
    monkeypatch.setattr(repository_files, "OVERRIDES", (str(tmp_path / "repos.override.d"),))
    return tmp_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("yum.repos.d/other.repo", "# mine\n[docker-ce-stable]\ngpgcheck=0\n"),
        ("yum.repos.d/other.repo", "[first]\nname=1\n[docker-ce-stable]\r\ngpgcheck=0\n"),
        ("yum.repos.d/other.repo", "[docker-ce-stable] # comment\n"),
        ("dnf.conf", "[main]\ngpgcheck=1\n[docker-ce-stable]\ngpgcheck=0\n"),
        ("repos.override.d/99-config_manager.repo", "[docker-ce-stable]\ngpgcheck=0\n"),
    ],
)
def test_a_second_definition_is_reported_with_its_file(etc: Path, path: str, text: str) -> None:
    own = etc / "yum.repos.d/docker-ce.repo"
    own.write_text(OWN)
    (etc / path).write_text(text)
    problem = repository_files.second_definition("docker-ce-stable", str(own))
    assert problem
    assert str(etc / path) in problem
    assert "remove that section or file" in problem


def test_its_own_file_other_repositories_and_backups_do_not_count(etc: Path) -> None:
    own = etc / "yum.repos.d/docker-ce.repo"
    (etc / "dnf.conf").write_text("[main]\ngpgcheck=1\n")
    for text in ("", OWN, OWN + OWN):
        own.write_text(text)
        (etc / "yum.repos.d/linked.repo").unlink(missing_ok=True)
        (etc / "yum.repos.d/linked.repo").symlink_to(own)
        (etc / "yum.repos.d/docker-ce.repo.123~").write_text(OWN)
        (etc / "yum.repos.d/other.repo").write_text("[docker-ce-stable-source]\n#[docker-ce-stable]\n")
        assert repository_files.second_definition("docker-ce-stable", str(own)) is None


def test_repositories_are_read_from_the_configured_reposdir(etc: Path) -> None:
    (etc / "elsewhere").mkdir()
    (etc / "elsewhere/a.repo").write_text(OWN)
    (etc / "yum.repos.d/b.repo").write_text(OWN)
    (etc / "dnf.conf").write_text(f"[main]\nreposdir={etc / 'nowhere'},\n  {etc / 'elsewhere'}\n")
    assert repository_files.definitions() == {"docker-ce-stable": [str(etc / "elsewhere/a.repo")]}


def test_the_way_to_leave_an_unreadable_repository_out_names_its_file(etc: Path) -> None:
    (etc / "yum.repos.d/b.repo").write_text("[third]\n")
    message = repository_files.unreadable("third", "timed out")
    for word in ("third", "timed out", f"skip_if_unavailable=1 in {etc}/yum.repos.d/b.repo"):
        assert word in message
    assert "its file" in repository_files.unreadable("unknown", "timed out")
    assert "dnf makecache" in repository_files.unreadable(None, "timed out")
