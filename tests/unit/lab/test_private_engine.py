# SPDX-License-Identifier: Apache-2.0
"""Checks before the start of a private engine, and the environment that it inherits."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.lab import disk, private_engine
from slipway.lab.errors import LabError
from slipway.lab.setting import Setting

START = """
import sys
from pathlib import Path
from slipway.lab import private_engine
from slipway.lab.errors import LabError
from slipway.lab.setting import Setting
private_engine.LAB = Path(sys.argv[1], ".lab")
private_engine.ROOT = private_engine.LAB / "engine"
try:
    private_engine.start(Setting.OFFLINE)
except LabError as error:
    print(error)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start an engine")


def start(folder: Path, *prefix: str) -> str:
    """Start an engine in a clone at a folder, by a command with this prefix; return the error message."""
    command = [*prefix, sys.executable, "-c", START, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@as_root
def test_too_little_disk_space_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    small = ["unshare", "--mount", "sh", "-ec", 'mount -t tmpfs -o size=9m tmpfs "$0"; "$@"; ls -A "$0"', str(tmp_path)]
    assert start(tmp_path, *small) == (
        f"The lab needs 5.0 GB in {tmp_path}/.lab, but only 0.0 GB are free: free some space, or put the clone on a "
        "larger file system.\n"
    )


@as_root
def test_root_without_privileges_is_told_how_to_run_the_container(tmp_path: Path) -> None:
    message = start(tmp_path, "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    assert "it may not create namespaces" in message
    assert "run the container with --privileged, or set DOCKER_HOST" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("folder", "words"), [("a clone", "has a blank"), ("a" * 100, "is too long")])
def test_a_clone_whose_path_is_of_no_use_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, folder: str, words: str
) -> None:
    monkeypatch.setattr(private_engine, "SOCKET", Path("/", folder, ".lab/engine/run/docker.sock"))
    with pytest.raises(LabError, match=rf"The path .* {words}.*: move the clone to a "):
        private_engine.start(Setting.OFFLINE)


def test_the_free_space_of_a_missing_folder_is_that_of_its_parent(tmp_path: Path) -> None:
    disk.require(tmp_path / "clone/.lab", 1, "The lab")
    with pytest.raises(LabError, match=r"The lab needs 1000000\.0 GB in .*/clone/\.lab"):
        disk.require(tmp_path / "clone/.lab", 10**15, "The lab")


def test_dockerd_inherits_only_the_proxies_and_only_online(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMPDIR", "DOCKER_TMPDIR", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example.com:3128")
    monkeypatch.setattr(private_engine, "PROXIES", ("https_proxy",))
    assert set(private_engine.environment(Setting.OFFLINE)) == {"PATH"}
    assert set(private_engine.environment(Setting.ONLINE)) == {"PATH", "https_proxy", "HTTPS_PROXY"}


def test_an_engine_runs_as_long_as_one_of_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid_file = tmp_path / "engine.pid"
    monkeypatch.setattr(private_engine, "PID_FILE", pid_file)
    assert not private_engine.is_running()
    pid_file.write_text(f"{os.getpid()}\n")  # of a killed engine, whose pid another process has now
    assert not private_engine.is_running()
    with pid_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        engine = subprocess.Popen(["sleep", "600"], pass_fds=[file.fileno()])
    assert private_engine.is_running()
    engine.kill()
    engine.wait()
    assert not private_engine.is_running()
