# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What an engine keeps in a home, for the user of this process; tests/lab/test_rootless.py has real engines."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import Account
from ansible_collections.slipway.platform.plugins.module_utils.rootless.engine import StartError, UserEngine
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    entry = pwd.getpwuid(os.geteuid())
    return UserEngine(Account(entry.pw_name, entry.pw_uid, entry.pw_gid, str(tmp_path)))


def without_rootlesskit(monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    """Run what RootlessKit would run."""

    def must_run(_: str, *command: str, seconds: int) -> None:
        if subprocess.run(command, timeout=seconds, stderr=subprocess.DEVNULL, check=False).returncode:
            raise StartError("rm failed")

    monkeypatch.setattr(engine, "must_run", must_run)


def test_programs_of_a_user_cannot_type_into_the_terminal_of_root(engine: Any) -> None:
    """A process of the session could (TIOCSTI), and the docker command starts plugins from the user's home."""
    code, session, _ = engine.run(sys.executable, "-c", "import os; print(os.getsid(0))")
    assert code == 0
    assert int(session) != os.getsid(0)


def test_the_mode_of_a_file_is_told_or_the_other_one(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    assert engine.mode_of(str(path), 0o644) == 0o644
    path.touch()
    path.chmod(0o600)
    assert engine.mode_of(str(path), 0o644) == 0o600


def test_a_data_root_behind_a_symbolic_link_is_deleted_too(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next user of the subordinate numbers could read what is left."""
    without_rootlesskit(monkeypatch, engine)
    (tmp_path / "disk/volumes").mkdir(parents=True)
    link = tmp_path / "docker"
    link.symlink_to("disk")
    assert engine.holds_data(str(link))
    engine.purge(str(link))
    assert not (tmp_path / "disk").exists()
    assert not link.is_symlink()


def test_a_data_root_that_cannot_go_itself_is_purged_when_it_is_empty(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a mount point, or a directory in one of somebody else."""
    root = tmp_path / "root"
    (root / "volumes").mkdir(parents=True)

    def must_run(*_: str, **__: Any) -> None:
        (root / "volumes").rmdir()
        raise StartError("rm: cannot remove the directory")

    monkeypatch.setattr(engine, "must_run", must_run)
    engine.purge(str(root))
    assert not engine.holds_data(str(root))
    (root / "volumes").mkdir()
    monkeypatch.setattr(engine, "must_run", lambda *_, **__: (_ for _ in ()).throw(StartError("rm failed")))
    with pytest.raises(StartError):
        engine.purge(str(root))


@pytest.mark.parametrize("root", [".", "..", "link"])
def test_a_data_root_that_holds_the_home_is_refused(engine: Any, tmp_path: Path, root: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(RootlessError, match="holds their home"):
        engine.refuse_unusable_home({"data-root": str(tmp_path / root)})
    engine.refuse_unusable_home({"data-root": str(tmp_path / "docker")})
