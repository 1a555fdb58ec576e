# SPDX-License-Identifier: Apache-2.0
"""The checker finds each artefact that is planted in a baked image, and nothing else."""

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
def planted_root(copy: Callable[[str], Path]) -> Path:
    root = copy("planted")
    assert listed(root) == []
    return root


def listed(root: Path) -> list[str]:
    """Return the artefacts that the checker finds; its slow search for credentials is left out."""
    tree = Tree(str(root))
    return [violation.place for violation in [*checker.artefact_violations(tree), *checker.preset_violations(tree)]]


def place_of(root: Path, artefact: str) -> Path:
    """Return the path of the artefact in this image, with symbolic links of parent folders resolved."""
    return Path(Tree(str(root)).resolve(str(Path(artefact).parent))) / Path(artefact).name


@contextmanager
def planted(root: Path, artefact: str, aside: Path) -> Iterator[None]:
    """Plant the artefact in the image, and restore the previous state afterwards."""
    file = place_of(root, artefact)
    folder = file.parent
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
def test_an_artefact_is_found_and_named(planted_root: Path, tmp_path: Path, artefact: str) -> None:
    with planted(planted_root, artefact, tmp_path / "aside"):
        (place,) = listed(planted_root)
        file = place_of(planted_root, artefact)
    assert f"/{file.relative_to(planted_root)}".startswith(
        place
    )  # the file itself, or a folder that contains only artefacts


def test_the_command_lists_all_of_them_and_nothing_else(
    planted_root: Path, tmp_path: Path, check: Callable[[Path], tuple[int, list[str]]]
) -> None:
    assert listed(planted_root) == []
    with ExitStack() as all_planted:
        for number, artefact in enumerate(ARTEFACTS):
            all_planted.enter_context(planted(planted_root, artefact, tmp_path / str(number)))
        status, lines = check(planted_root)
    assert status == 1
    assert len(lines) == len(ARTEFACTS)
