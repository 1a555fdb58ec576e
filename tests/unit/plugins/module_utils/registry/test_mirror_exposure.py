# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry import mirror_exposure


def daemon_json(tmp_path: Path, text: str) -> str:
    (tmp_path / "daemon.json").write_text(text)
    return str(tmp_path / "daemon.json")


@pytest.mark.parametrize("text", ["", "{}", "{", "[]", '{"registry-mirrors": null}', '{"registry-mirrors": []}'])
def test_without_mirrors_there_is_no_warning(tmp_path: Path, text: str) -> None:
    assert mirror_exposure.warning(daemon_json(tmp_path, text)) is None


def test_without_a_file_there_is_no_warning(tmp_path: Path) -> None:
    assert mirror_exposure.warning(str(tmp_path / "absent")) is None


def test_https_mirrors_are_named_without_their_passwords(tmp_path: Path) -> None:
    path = daemon_json(tmp_path, '{"registry-mirrors": ["https://me:secret@one.example", "https://two.example"]}')
    message = mirror_exposure.warning(path) or ""
    assert "one.example and https://two.example" in message
    assert "secret" not in message


def test_an_http_mirror_is_rejected(tmp_path: Path) -> None:
    path = daemon_json(tmp_path, '{"registry-mirrors": ["https://one.example", "HTTP://two.example"]}')
    with pytest.raises(
        mirror_exposure.ExposedError, match=r"configures the registry mirror HTTP://two.example: .* in clear text"
    ):
        mirror_exposure.warning(path)
