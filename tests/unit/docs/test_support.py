# SPDX-License-Identifier: Apache-2.0
"""The tables of what is supported say what the role serves, and no more than was run."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.docs import support
from slipway.lab.paths import PROJECT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the tables are made of."""
    for path in (support.MATRIX, support.RUNS, support.README):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / path, tmp_path / path)
    return tmp_path


def tell(clone: Path, **changes: Any) -> None:
    """Change the first run of docs/support.yml; None removes a key."""
    told = yaml.safe_load((clone / support.RUNS).read_text())
    run = {**told["runs"][0], **changes}
    told["runs"] = [{key: value for key, value in run.items() if value is not None}]
    (clone / support.RUNS).write_text(yaml.safe_dump(told))


def test_every_release_of_the_matrix_has_a_line_with_its_tree() -> None:
    platforms = yaml.safe_load((PROJECT / support.MATRIX).read_text())["__docker_engine_platforms"]
    page = support.page(PROJECT)
    for entry in platforms.values():
        for release in entry["releases"]:
            assert f"| {entry['name']} | {release} |" in page
    assert "| Rocky | 8 | `rhel/8` | x86_64, aarch64, s390x | | | all |" in page


def test_what_no_entry_tells_of_was_read(clone: Path) -> None:
    tell(clone, engines=["26.1.5"])
    page = support.page(clone)
    assert "| CentOS | 9 | `centos/9` | x86_64 | 26.1.5: a stand-in" in page
    assert "| 20.10, 23.0, 24.0, 25.0, 27.5, 28.5, 29.7 |" in page
    assert "| CentOS | 9 | `centos/9` | aarch64, ppc64le | | | all |" in page
    assert "| Fedora | 43, 44 | read |" in support.readme(clone)


def test_a_run_of_once_has_its_date(clone: Path) -> None:
    tell(clone, how="once", when="2026-11")
    assert "| CentOS | 8, 9, 10 | 9: once, 2026-11 (20.10.24, 26.1.5) |" in support.readme(clone)
    tell(clone, how="once", when=None)
    with pytest.raises(support.SupportError, match="when"):
        support.page(clone)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"release": "7"}, "has no centos 7"),
        ({"architectures": ["s390x"]}, "is not served on s390x"),
        ({"how": "often"}, "every-change or once"),
        ({"host": None}, "other keys"),
        ({"engines": ["30.0.0"]}, "lacks the series of 30.0.0"),
    ],
)
def test_a_run_that_cannot_have_been_is_named(clone: Path, changes: dict[str, Any], words: str) -> None:
    tell(clone, **changes)
    with pytest.raises(support.SupportError, match=words):
        support.page(clone)


def test_a_readme_without_a_place_for_the_table_is_named(clone: Path) -> None:
    (clone / support.README).write_text("# Slipway\n")
    with pytest.raises(support.SupportError, match=r"README\.md has no place"):
        support.readme(clone)
