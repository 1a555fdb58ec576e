# SPDX-License-Identifier: Apache-2.0
"""Planted in what was baked, each artefact of the list is found, and nothing else is."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check as checker
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree

from tests.unit.plugins.module_utils.machine_image.test_artefacts import ARTEFACTS


@pytest.fixture(scope="module")
def planting_ground(copy: Callable[[str], Path]) -> Path:
    return copy("planted")


def listed(root: Path) -> list[str]:
    """Return what the checker finds of the list; that takes no time, other than its search for credentials."""
    tree = Tree(str(root))
    return [violation.place for violation in [*checker.of_artefacts(tree), *checker.of_the_presets(tree)]]


@contextmanager
def planted(root: Path, artefact: str, aside: Path) -> Iterator[None]:
    """Have the artefact in the image, and what was there before once more afterwards."""
    folder = Path(Tree(str(root)).resolve(str(Path(artefact).parent)))
    file = folder / Path(artefact).name
    if os.path.lexists(file):
        shutil.move(file, aside)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text("planted\n")
    yield
    file.unlink()
    if missing:
        shutil.rmtree(missing[-1])
    if os.path.lexists(aside):
        shutil.move(aside, file)


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_an_artefact_is_found_and_named(planting_ground: Path, tmp_path: Path, artefact: str) -> None:
    assert listed(planting_ground) == []
    with planted(planting_ground, artefact, tmp_path / "aside"):
        (place,) = listed(planting_ground)
    assert f"/{artefact}".startswith(place)  # it, or a folder of nothing else


def test_all_of_them_are_listed_by_the_command(
    planting_ground: Path, tmp_path: Path, check: Callable[[Path], tuple[int, list[str]]]
) -> None:
    assert listed(planting_ground) == []
    with ExitStack() as all_planted:
        for number, artefact in enumerate(ARTEFACTS):
            all_planted.enter_context(planted(planting_ground, artefact, tmp_path / str(number)))
        status, lines = check(planting_ground)
    assert status == 1
    assert len(lines) == len(ARTEFACTS)
