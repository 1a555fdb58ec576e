# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.slipway.platform.plugins.lookup.compose_files import LookupModule

TEXT = "services:\n  web: {image: '${IMAGE}'}\n"


def read(folder: Path, *projects: Any) -> Any:
    loader = DataLoader()
    loader.set_basedir(str(folder))
    return LookupModule(loader=loader).run([list(projects)], variables={"ansible_search_path": [str(folder)]})[0]


def test_a_path_becomes_the_text_of_its_file_and_all_else_stays(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/web.yml").write_text(TEXT)
    others = [
        {"name": "a", "compose": {"services": {}}},
        {"name": "b", "compose": TEXT},
        {"name": "c"},
        "d",
        {"compose": ""},
    ]
    found = read(tmp_path, {"name": "web", "compose": "web.yml"}, {"compose": f"{tmp_path}/files/web.yml"}, *others)
    assert found == [{"name": "web", "compose": TEXT}, {"compose": TEXT}, *others]


def test_a_file_of_one_line_is_not_taken_for_a_path_afterwards(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text('{"services": {}}')
    (found,) = read(tmp_path, {"compose": "web.yml"})
    assert read(tmp_path, found) == [found]


def test_a_missing_file_is_named_with_its_project(tmp_path: Path) -> None:
    with pytest.raises(AnsibleError, match=r"the compose file web.yml of shop does not exist on the controller"):
        read(tmp_path, {"name": "shop", "compose": "web.yml"})
