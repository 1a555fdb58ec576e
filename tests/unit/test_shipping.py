# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The collection as users have it: built, installed into an empty path, and run without the clone."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import yaml_files

pytestmark = pytest.mark.program

PROJECT = Path(__file__).parents[2]
PLAYBOOKS = sorted(path.stem for path in PROJECT.glob("playbooks/*.yml"))
NEED_AWS = ["ami", "drill", "fleet", "restore", "sleep", "wake"]
# Of a module or of a lookup, with the collection.
FULL_NAME = re.compile(r"^ *(?:- )?(\w+\.\w+)\.\w+:|(?:lookup|query)\('(\w+\.\w+)\.\w+'", re.MULTILINE)
RUN_BY_ROLES = ("meta", "playbooks", "plugins", "roles")
INSTALL = ("ansible-galaxy", "collection", "install", "--no-deps", "--offline", "--collections-path")


def run(folder: Path, *command: str | Path, collections: Path, others: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder with the collections in one path, and with those of Python packages or without."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    settings = {
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": str(others),
    }
    return subprocess.run(command, cwd=folder, env=own | settings, capture_output=True, text=True, check=False)


def files_of_roles(collection: Path) -> dict[str, bytes]:
    paths = [path for top in RUN_BY_ROLES for path in (collection / top).rglob("*") if path.is_file()]
    return {str(path.relative_to(collection)): path.read_bytes() for path in paths if path.parent.name != "__pycache__"}


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path with this collection alone."""
    folder = tmp_path_factory.mktemp("shipping")
    built = subprocess.run(
        ["ansible-galaxy", "collection", "build", "--output-path", folder], cwd=PROJECT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    artefact = next(folder.glob("*.tar.gz"))
    installed = run(folder, *INSTALL, folder / "collections", artefact, collections=folder / "collections")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return folder / "collections"


@pytest.fixture
def collection(collections: Path) -> Path:
    return collections / "ansible_collections/slipway/platform"


def test_it_holds_nothing_of_a_clone(collection: Path) -> None:
    assert " ".join(sorted(path.name for path in collection.iterdir())) == (
        "CONTRIBUTING.md FILES.json LICENSE MANIFEST.json README.md changelogs dockerfiles docs inventory meta "
        "packer playbooks plugins requirements.yml roles tests"
    )
    assert sorted(path.name for path in (collection / "tests").iterdir()) == ["conftest.py", "sanity", "verify"]
    assert sorted(path.name for path in (collection / "inventory").iterdir()) == ["example"]


def test_it_has_every_file_that_its_roles_use(collection: Path) -> None:
    assert files_of_roles(collection) == files_of_roles(PROJECT)


def load(folder: Path, collections: Path, *names: str, others: bool) -> subprocess.CompletedProcess[str]:
    playbooks = [f"slipway.platform.{name}" for name in names]
    command = ("ansible-playbook", "--inventory=localhost,", "--syntax-check", *playbooks)
    return run(folder, *command, collections=collections, others=others)


@pytest.mark.parametrize("others", [True, False], ids=["with collections of AWS", "without"])
def test_its_playbooks_are_loaded_by_their_full_names(
    collections: Path, collection: Path, tmp_path: Path, others: bool
) -> None:
    names = NEED_AWS if others else [name for name in PLAYBOOKS if name not in NEED_AWS]
    done = load(tmp_path, collections, *names, others=others)
    assert done.returncode == 0, done.stderr
    assert re.findall("playbook: (.*)", done.stdout) == [str(collection / f"playbooks/{name}.yml") for name in names]


def test_a_playbook_runs_from_it(collections: Path, tmp_path: Path) -> None:
    path = tmp_path / "user-data"
    command = ("ansible-playbook", "slipway.platform.user_data", f"--extra-vars=user_data_path={path}")
    predicted = run(tmp_path, *command, "--check", collections=collections)
    assert predicted.returncode == 0, predicted.stdout
    assert not path.exists()
    assert run(tmp_path, *command, collections=collections).returncode == 0
    assert path.read_text().startswith("#cloud-config")


@pytest.mark.parametrize(
    ("playbook", "sentence"),
    [
        ("ami", "amazon.aws and community.aws are not installed on the controller"),
        ("fleet", "amazon.aws is not installed on the controller: run 'ansible-galaxy collection install amazon.aws'"),
    ],
)
def test_a_role_says_which_collections_are_missing(
    collections: Path, tmp_path: Path, playbook: str, sentence: str
) -> None:
    refused = load(tmp_path, collections, playbook, others=False)
    assert refused.returncode != 0
    assert sentence in refused.stderr


def used_collections() -> Iterator[str]:
    for folder in ("roles", "playbooks"):
        for path in (PROJECT / folder).rglob("*.yml"):
            if "argument_specs" not in path.name:
                for names in FULL_NAME.findall(path.read_text()):
                    yield "".join(names)


def test_requirements_name_every_collection_that_is_used() -> None:
    required = {entry["name"] for entry in yaml_files.read(PROJECT / "requirements.yml")["collections"]}
    # That of the connection is in inventories alone.
    assert set(used_collections()) - {"ansible.builtin", "slipway.platform"} == required - {"community.general"}


def test_the_execution_environment_gets_this_collection_and_those_that_it_needs(
    collection: Path, tmp_path: Path
) -> None:
    """ansible-builder refuses what its schema does not have."""
    definition = PROJECT / "execution-environment.yml"
    command = (
        "ansible-builder",
        "create",
        "--file",
        definition,
        "--context",
        tmp_path,
        "--output-filename=Containerfile",
    )
    created = run(tmp_path, *command, collections=tmp_path)
    assert created.returncode == 0, created.stdout + created.stderr
    environment: dict[str, Any] = yaml_files.read(definition)
    assert environment["version"] == 3
    context = tmp_path / "_build"
    assert (context / "requirements.yml").read_text() == (PROJECT / "requirements.yml").read_text()
    (step,) = environment["additional_build_steps"]["append_galaxy"]
    assert step in (tmp_path / "Containerfile").read_text()
    command = tuple(step.removeprefix("RUN ").replace("/usr/share/ansible/collections", str(tmp_path / "c")).split())
    installed = run(context, *command, collections=tmp_path / "c")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert files_of_roles(tmp_path / "c/ansible_collections/slipway/platform") == files_of_roles(collection)
