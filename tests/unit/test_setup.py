# SPDX-License-Identifier: Apache-2.0
"""tools/setup takes no file without a hash: the real script with the real pip and uv, and a folder for an index.

What it does on machines that lack something, and at the same time as another command, tools/sanity included.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pip
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
import shutil
from pathlib import Path

def prepare_metadata_for_build_editable(folder, config_settings=None):
    info = Path(folder, "example-1.dist-info")
    info.mkdir()
    wanted = 'Provides-Extra: dev\\nRequires-Dist: six; extra == "dev"\\n'
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: example\\nVersion: 1\\n" + wanted)
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\n")
    return info.name

def build_editable(folder, *_, **__):
    return Path(shutil.copy("example/example-1-py3-none-any.whl", folder)).name
"""
WAITING = "slipway: another command of this clone is using .venv: waiting for it to finish\n"

# Python, but virtual environments borrow this one's pip, since to install one takes longer than everything else.
PYTHON = f"""\
[ "$1 $2" = "-m venv" ] || exec "{sys.executable}" "$@"
"{sys.executable}" -m venv --without-pip --clear "$4"
ln -s "{Path(pip.__file__).parent}" "$4"/lib/python*/site-packages
printf '#!/bin/sh\\nexec "%s/bin/python" -m pip "$@"\\n' "$4" >"$4/bin/pip"
chmod +x "$4/bin/pip"
"""
NO_VENV = f'case $2 in *ensurepip*) exit 1 ;; esac; exec "{sys.executable}" "$@"'

Setup = Callable[..., subprocess.CompletedProcess[str]]


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


def program(path: Path, script: str) -> str:
    """Write a shell script; its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


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
    wheel(tmp_path, "example")
    shutil.copy(PROJECT / "tools/exclusive.sh", tmp_path)
    script = shutil.copy(PROJECT / "tools/setup", tmp_path)
    folders = " ".join(str(folder) for folder in locked.parent.parent.iterdir())
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nno-index = true\nfind-links = {folders}\nrequire-hashes = true\n")
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path / ".venv"), "PIP_CONFIG_FILE": str(settings)}
    environment |= {
        "PIP_FIND_LINKS": folders,
        "PIP_REQUIRE_HASHES": "1",
        "PYTHON": program(tmp_path / "python", PYTHON),
    }

    def run(**changes: str) -> subprocess.CompletedProcess[str]:
        command = (script, "pyproject.toml", "requirements.txt")
        return subprocess.run(
            command, cwd=tmp_path, env=environment | changes, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def all_locked(setup: Setup, locked: Path, tmp_path: Path) -> None:
    """The project locks everything that it needs, so that its set-up succeeds."""
    with (tmp_path / "requirements.txt").open("a") as lock:
        lock.write(requirement(locked.parent.parent / "six/six-1-py3-none-any.whl"))


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


@pytest.mark.usefixtures("all_locked")
def test_an_index_out_of_reach_is_named_as_the_cause_and_a_second_run_passes(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "unreachable").write_text("[global]\nindex-url = http://127.0.0.1:9\nretries = 0\n")
    refused = setup(PIP_CONFIG_FILE=str(tmp_path / "unreachable"), PIP_FIND_LINKS="")
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "\nslipway: pip cannot install the packages: see that its index is reached from here "
        "(network, proxy, pip.conf), then run again.\n"
    )
    assert not (tmp_path / ".venv/.complete").exists()
    done = setup()
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".venv/.complete").exists()


@pytest.mark.usefixtures("all_locked")
def test_settings_of_pip_for_other_places_are_ignored(setup: Setup, tmp_path: Path) -> None:
    with (tmp_path / "pip.conf").open("a") as settings:
        settings.write(f"target = {tmp_path}/elsewhere\nroot = {tmp_path}/elsewhere\n")
        settings.write(f"[install]\nprefix = {tmp_path}/elsewhere\n")
    done = setup()
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path) == {"locked", "six"}
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.usefixtures("all_locked")
def test_of_two_at_once_one_waits_and_has_nothing_left_to_do(setup: Setup, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as threads:
        both = [started.result() for started in [threads.submit(setup), threads.submit(setup)]]
    assert [done.returncode for done in both] == [0, 0], both
    assert sorted(done.stderr for done in both) == ["", WAITING]
    assert "".join(done.stdout for done in both).count("[setup] Installing") == 1
    assert installed(tmp_path) == {"locked", "six"}


@pytest.mark.parametrize(
    ("age", "stops"), [(1, True), (-1, False), (None, False)], ids=["complete", "files changed", "the other one failed"]
)
def test_one_that_waited_sets_up_what_is_not_complete(
    setup: Setup, tmp_path: Path, age: int | None, stops: bool
) -> None:
    """Without the module venv, its first step is the last."""
    program(tmp_path / "bin/flock", '[ "$1" != --nonblock ]')
    program(tmp_path / "bin/id", "echo 1000")
    python = program(tmp_path / "bin/python", NO_VENV)
    os.utime(tmp_path / "pyproject.toml", (0, 0))
    if age is not None:
        complete = tmp_path / ".venv/.complete"
        complete.parent.mkdir()
        complete.touch()
        changed = (tmp_path / "requirements.txt").stat().st_mtime
        os.utime(complete, (0, changed + age))
    done = setup(PYTHON=python, PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert done.stderr.startswith(WAITING)
    assert (done.returncode == 0) is (done.stderr == WAITING) is stops


def test_an_old_python_is_refused(setup: Setup, tmp_path: Path) -> None:
    pretend = f'exec "{sys.executable}" -c "import sys; sys.version_info = (3, 10, 20); $2"'
    old = program(tmp_path / "old", f"[ $1 = --version ] && echo Python 3.10.20 || {pretend}")
    refused = setup(PYTHON=old)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"slipway: Python 3.11 or newer is needed, {old} is Python 3.10.20: set PYTHON=... to a newer one.\n"
    )


@pytest.mark.parametrize("failing", ["update", "install"])
def test_where_apt_fails_the_last_line_names_what_to_install(setup: Setup, tmp_path: Path, failing: str) -> None:
    python = program(tmp_path / "bin/python", NO_VENV)
    program(tmp_path / "bin/id", "echo 0")
    program(tmp_path / "bin/apt-get", f'case "$*" in *{failing}*) echo E: Unable >&2; exit 100 ;; esac')
    refused = setup(PYTHON=python, PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"E: Unable\nslipway: {python} has no venv module: install it (Debian: apt-get install python3-venv), "
        "then run again.\n"
    )


def test_sanity_waits_for_others_and_others_wait_for_it(tmp_path: Path) -> None:
    """The real script, with stand-ins for what it runs, the last of which finds the lock held."""
    program(tmp_path / "bin/ansible-galaxy", 'touch "$5/file"; tar -czf "$5/slipway-platform-1.tar.gz" -C "$5" file')
    program(tmp_path / "bin/ansible-test", '! flock --nonblock "$VIRTUAL_ENV.lock" true')
    variables = {"VIRTUAL_ENV": str(tmp_path / ".venv"), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    (tmp_path / ".venv").mkdir()
    with (tmp_path / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sanity = subprocess.Popen(
            [PROJECT / "tools/sanity"], cwd=tmp_path, env=os.environ | variables, stderr=subprocess.PIPE, text=True
        )
        assert sanity.stderr
        first, made = sanity.stderr.readline(), list((tmp_path / ".venv").iterdir())
    assert first == WAITING
    assert not made
    assert sanity.communicate()[1] == ""
    assert sanity.returncode == 0
    assert (tmp_path / ".venv/sanity/collections/ansible_collections/slipway/platform/file").exists()
