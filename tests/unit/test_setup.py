# SPDX-License-Identifier: Apache-2.0
"""tools/setup takes no file without a hash: the real script with the real pip, and a folder for an index."""

import hashlib
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.lab.paths import PROJECT

pytestmark = pytest.mark.program

PYPROJECT = """\
[build-system]
requires = ["no-such-builder"]
build-backend = "backend"
backend-path = ["."]
[project]
name = "example"
version = "1"
"""
BACKEND = """\
from pathlib import Path

def prepare_metadata_for_build_editable(folder, config_settings=None):
    info = Path(folder, "example-1.dist-info")
    info.mkdir()
    wanted = 'Provides-Extra: dev\\nRequires-Dist: six; extra == "dev"\\n'
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: example\\nVersion: 1\\n" + wanted)
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\n")
    return info.name

def build_editable(*_, **__):
    raise AssertionError("six was taken")
"""

Setup = Callable[[], subprocess.CompletedProcess[str]]


def wheel(folder: Path, name: str) -> Path:
    """Make a wheel with one module."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        archive.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.dist-info/RECORD", "")
    return path


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """The wheel whose hash the project has; the index has one without, too, and so has PyPI."""
    wheel(tmp_path / "index", "six")
    return wheel(tmp_path / "index", "locked")


@pytest.fixture
def setup(tmp_path: Path, locked: Path) -> Setup:
    """Set-up of a project that locks one package and needs another one."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "backend.py").write_text(BACKEND)
    digest = hashlib.sha256(locked.read_bytes()).hexdigest()
    (tmp_path / "requirements.txt").write_text(f"locked==1 --hash=sha256:{digest}\n")
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nno-index = true\nfind-links = {locked.parent}\nrequire-hashes = true\n")
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path / ".venv"), "PIP_CONFIG_FILE": str(settings)}
    environment |= {"PIP_FIND_LINKS": str(locked.parent), "PIP_REQUIRE_HASHES": "1"}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROJECT / "tools/setup"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def installed(folder: Path) -> set[str]:
    """Which of the two modules the virtual environment has."""
    return {path.stem for path in (folder / ".venv").glob("lib/python*/site-packages/*.py")} & {"locked", "six"}


def test_a_changed_wheel_is_refused_in_one_line_and_nothing_is_installed(
    setup: Setup, locked: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(locked, "a") as archive:
        archive.writestr("backdoor.py", "")
    done = setup()
    assert done.returncode == 1
    assert done.stderr.startswith("slipway: locked==1 is refused, and nothing was installed: ")
    assert done.stderr.count("\n") == 1
    assert not installed(tmp_path)


def test_what_the_project_needs_beyond_the_lock_is_missed_and_not_downloaded(setup: Setup, tmp_path: Path) -> None:
    done = setup()
    assert done.returncode == 1
    assert "No matching distribution found for six" in done.stderr
    assert done.stderr.endswith("where pip misses one, run `make lock`, then run again.\n")
    assert installed(tmp_path) == {"locked"}
