# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Exclusive directories of write_files; tests/lab/test_modules.py has the rest."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.slipway.platform.plugins.modules import write_files


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A directory with a file that is wanted, and others of an earlier version."""
    library = tmp_path / "lib"
    for name in ("new/words.py", "old/words.py", "old/deep/words.py", "new/stale.py"):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text("")
    (library / "linked").symlink_to(tmp_path)
    (tmp_path / "beside").write_text("")
    return library


def run(capsys: pytest.CaptureFixture[str], **parameters: Any) -> dict[str, Any]:
    with patch_module_args(parameters), pytest.raises(SystemExit):
        write_files.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def below(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


@pytest.fixture
def hardened() -> Iterator[None]:
    """The umask that sudo has on hardened hosts."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("hardened")
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """GuardedModule sets the umask for all modules, and for what their commands create."""
    run(capsys, files={f"{tmp_path}/etc/a/unit": "", f"{tmp_path}/bin/b": ""}, executable=[f"{tmp_path}/bin/b"])
    subprocess.run(["mkdir", tmp_path / "by a command"], check=True)
    modes = {path: (tmp_path / path).stat().st_mode & 0o777 for path in below(tmp_path)}
    directories = dict.fromkeys(["etc", "etc/a", "bin", "by a command"], 0o755)
    assert modes == {**directories, "etc/a/unit": 0o644, "bin/b": 0o755}


def test_an_exclusive_directory_holds_the_files_alone(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"files": {f"{library}/new/words.py": "HELLO = 1\n"}, "exclusive_directories": [f"{library}/"]}
    before = below(library.parent)
    predicted = run(capsys, **wanted, _ansible_check_mode=True)
    assert below(library.parent) == before
    made = run(capsys, **wanted)
    assert (
        predicted["changed_files"]
        == made["changed_files"]
        == [
            f"{library}/{name}"
            for name in ("new/words.py", "linked", "new/stale.py", "old/deep/words.py", "old/words.py")
        ]
    )
    assert below(library.parent) == ["beside", "lib", "lib/new", "lib/new/words.py"]
    assert not run(capsys, **wanted)["changed"]


def test_an_exclusive_directory_without_any_of_the_files_is_rejected(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = below(library.parent)
    files = {f"{library}-64/words.py": ""}
    refused = run(capsys, files=files, exclusive_directories=[str(library)])
    assert refused["msg"].startswith(f"None of the files is below {library}:")
    assert below(library.parent) == before
