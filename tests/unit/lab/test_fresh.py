# SPDX-License-Identifier: Apache-2.0
"""What a fresh machine gets from this one; `make fresh` runs it."""

from pathlib import Path

import pytest

from slipway.lab import fresh

pytestmark = pytest.mark.program


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"PIP_CACHE_DIR": "pip"}, "pip"),
        ({"PIP_NO_CACHE_DIR": "1"}, ".lab/pip-cache"),
        ({"PIP_CACHE_DIR": "file/pip"}, ".lab/pip-cache"),
    ],
    ids=["usable", "disabled", "cannot be created"],
)
def test_pips_cache_is_that_of_this_machine_if_it_has_one(
    variables: dict[str, str], folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fresh, "LAB", tmp_path / ".lab")
    for name in ("PIP_CACHE_DIR", "PIP_NO_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    cache = fresh._pip_cache()
    assert cache.is_dir()
    assert cache == tmp_path / folder
