# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import mirror_exposure


def daemon_json(tmp_path: Path, text: str) -> str:
    (tmp_path / "daemon.json").write_text(text)
    return str(tmp_path / "daemon.json")


@pytest.mark.parametrize("text", ["", "{}", "{", "[]", '{"registry-mirrors": null}', '{"registry-mirrors": []}'])
def test_without_mirrors_there_is_nothing_to_say(tmp_path: Path, text: str) -> None:
    assert mirror_exposure.warning(daemon_json(tmp_path, text)) is None


def test_without_a_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert mirror_exposure.warning(str(tmp_path / "absent")) is None


def test_mirrors_with_https_are_named(tmp_path: Path) -> None:
    path = daemon_json(tmp_path, '{"registry-mirrors": ["https://me:secret@one.example", "https://two.example"]}')
    sentence = mirror_exposure.warning(path) or ""
    assert "one.example and https://two.example" in sentence
    assert "secret" not in sentence


def test_a_mirror_in_clear_is_refused(tmp_path: Path) -> None:
    path = daemon_json(tmp_path, '{"registry-mirrors": ["https://one.example", "HTTP://two.example"]}')
    with pytest.raises(mirror_exposure.MirrorError, match=r"names the registry mirror HTTP://two.example: .* in clear"):
        mirror_exposure.warning(path)
