# SPDX-License-Identifier: Apache-2.0
"""tools/setup takes no file without a hash: the real script with the real pip and uv, and a folder for an index."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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
    """Make a wheel with one module, in the folder that an index has for it."""
    path = folder / name / f"{name}-1-py3-none-any.whl"
    path.parent.mkdir(parents=True)
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


def requirement(wheel: Path) -> str:
    """The line that locks a wheel."""
    return f"{wheel.parent.name}==1 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def setup(tmp_path: Path, locked: Path) -> Setup:
    """Set-up of a project that locks one package and needs another one, where pip has its packages from a folder."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "requirements.txt").write_text(requirement(locked))
    script = shutil.copy(PROJECT / "tools/setup", tmp_path)
    folders = " ".join(str(folder) for folder in locked.parent.parent.iterdir())
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nno-index = true\nfind-links = {folders}\nrequire-hashes = true\n")
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path / ".venv"), "PIP_CONFIG_FILE": str(settings)}
    environment |= {"PIP_FIND_LINKS": folders, "PIP_REQUIRE_HASHES": "1"}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run([script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback, as an index does; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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


def test_packages_come_from_the_index_that_pip_is_told_of(setup: Setup, locked: Path, tmp_path: Path) -> None:
    """The project's uv stands in for the one that its lock would have pip download."""
    uv = wheel(locked.parent.parent, "uv")
    with zipfile.ZipFile(uv, "a") as archive:
        script = zipfile.ZipInfo("uv-1.data/scripts/uv")
        script.external_attr = 0o100755 << 16
        archive.writestr(script, f'#!/bin/sh\nexec "{sys.prefix}/bin/uv" "$@"\n')
    (tmp_path / "uv.txt").write_text(requirement(uv))
    with served(locked.parent.parent) as address:
        (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {address}\n")
        setup()
    assert installed(tmp_path) == {"locked"}
    (installer,) = (tmp_path / ".venv").glob("lib/python*/site-packages/locked-1.dist-info/INSTALLER")
    assert installer.read_text() == "uv"
