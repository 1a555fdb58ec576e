# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Versions and secrets in the folder of a project, which a run may leave half done."""

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import project as project_folder
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import ServicesError


def project(folder: Path) -> project_folder.Project:
    return project_folder.Project("web", str(folder))


def form(number: int, secret: str | None = None) -> dict[str, Any]:
    return {"services": {"app": {"image": str(number)}}, **({"secrets": {"key": {"file": secret}}} if secret else {})}


def deploy(folder: Path, number: int, *, healthy: bool = True, value: str = "x") -> project_folder.Project:
    """Put a version in place, which uses a secret."""
    one = project(folder)
    placed = one.place_secrets([{"name": "key", "value": value, "uid": None}])
    texts = {"compose.json": project_folder.render(form(number, placed["key"][0]))}
    one.prepare(texts, placed.values(), "compose")
    one.advance()
    if healthy:
        one.settle({}, {})
    return one


def image(one: project_folder.Project, version: str) -> Any:
    return one.version(version).get("services", {}).get("app", {}).get("image")


def test_nothing_in_the_folder_is_for_others_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        deploy(tmp_path, 1)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {
        "web": 0o700,
        "current": 0o700,
        "secrets": 0o700,
        "compose.json": 0o600,
        "record.json": 0o600,
        "key.1": 0o400,
    }


def test_a_version_that_is_not_healthy_does_not_replace_the_last_that_was(tmp_path: Path) -> None:
    deploy(tmp_path, 1)
    deploy(tmp_path, 2, healthy=False)
    one = deploy(tmp_path, 3, healthy=False)
    assert (one.last_healthy(), image(one, "previous"), image(one, "current")) == ("previous", "1", "3")
    assert one.go_back()
    assert (project(tmp_path).last_healthy(), image(one, "current")) == ("current", "1")


def test_a_run_that_is_killed_between_two_moves_leaves_the_healthy_version_known(tmp_path: Path) -> None:
    """Fault: a deployment is killed after the healthy version was moved aside. Outcome: it is known as that still."""
    deploy(tmp_path, 1)
    (tmp_path / "web/current").rename(tmp_path / "web/previous")
    one = project(tmp_path)
    assert one.is_pending()
    assert one.last_healthy() == "previous"
    one = deploy(tmp_path, 2)
    assert (image(one, "previous"), image(one, "current")) == ("1", "2")


def test_a_first_version_that_fails_has_none_to_go_back_to(tmp_path: Path) -> None:
    assert not deploy(tmp_path, 1, healthy=False).go_back()


@pytest.mark.skipif(os.geteuid() != 0, reason="secrets must belong to root")
def test_a_secret_gets_another_file_when_it_changes_and_the_version_before_keeps_its_own(tmp_path: Path) -> None:
    names = []
    for number, value in enumerate(("a", "a", "b", "c"), 1):
        deploy(tmp_path, number, value=value)
        names.append(sorted(path.name for path in (tmp_path / "web/secrets").iterdir()))
    assert names == [["key.1"], ["key.1"], ["key.1", "key.2"], ["key.2", "key.3"]]


def test_a_damaged_record_is_refused_with_its_path(tmp_path: Path) -> None:
    deploy(tmp_path, 1)
    (tmp_path / "web/record.json").write_text("{")
    with pytest.raises(ServicesError, match=r"web/record.json is damaged: remove it"):
        project(tmp_path)


def test_a_difference_has_no_secret_of_the_compose_file_itself() -> None:
    environment = {
        "DB_PASSWORD": "hunter2",
        "DB_PASSWORD_FILE": "/run/secrets/a",
        "URL": "http://u:hunter2@a/",
        "A": None,
    }
    shown = project_folder.shown({"services": {"app": {"image": "x", "environment": environment}, "job": {}}})
    assert "hunter2" not in shown
    assert "/run/secrets/a" in shown
