# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import files, run_as
from ansible_collections.slipway.platform.plugins.module_utils.registry import config_file

from tests.support.exchanged_files import ended_after, exchanged

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def account(tmp_path: Path) -> run_as.Account:
    return run_as.Account(pwd.getpwuid(os.getuid()).pw_name, os.getuid(), os.getgid(), str(tmp_path))


@pytest.fixture
def nobody() -> Iterator[run_as.Account]:
    """Another user, with their own home directory."""
    entry = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, entry.pw_uid, entry.pw_gid)
        yield run_as.Account(entry.pw_name, entry.pw_uid, entry.pw_gid, home)


def put(account: run_as.Account, text: str, file_mode: int = 0o600, directory_mode: int = 0o700) -> Path:
    path = Path(config_file.path_of(account))
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(file_mode)
    path.parent.chmod(directory_mode)
    return path


def modes(account: run_as.Account) -> tuple[int, int]:
    path = Path(config_file.path_of(account))
    return path.stat().st_mode & 0o7777, path.parent.stat().st_mode & 0o7777


def test_a_new_file_is_private(account: run_as.Account) -> None:
    assert config_file.read(account) == (None, {}, None, None, True)
    config_file.require_writable(account)
    config_file.write(account, '{"auths": {}}')
    assert modes(account) == (0o600, 0o700)
    assert config_file.read(account).config == {"auths": {}}


@pytest.mark.parametrize(("file_mode", "directory_mode"), [(0o644, 0o700), (0o600, 0o755), (0o400, 0o700)])
def test_loose_permissions_are_detected_and_tightened(
    account: run_as.Account, file_mode: int, directory_mode: int
) -> None:
    put(account, "{}", file_mode, directory_mode)
    before = config_file.read(account)
    assert not before.private
    config_file.write(account, "{}")
    assert config_file.read(account).private
    config_file.restore(account, before)
    assert config_file.read(account) == before


def test_restore_removes_what_a_write_created(account: run_as.Account) -> None:
    before = config_file.read(account)
    config_file.write(account, "{}")
    config_file.restore(account, before)
    config_file.restore(account, before)
    assert list(Path(account.home).iterdir()) == []


def test_a_write_follows_a_symbolic_link(account: run_as.Account, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "config.json"
    link = put(account, "{}")
    link.unlink()
    link.symlink_to(target)
    config_file.require_writable(account)
    config_file.write(account, "{}")
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o7777) == ("{}", 0o600)


def test_a_special_file_is_rejected(account: run_as.Account) -> None:
    path = put(account, "{}")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(config_file.ConfigFileError, match="not a regular file"):
        config_file.read(account)


def test_a_file_in_place_of_the_directory_is_rejected(account: run_as.Account, tmp_path: Path) -> None:
    (tmp_path / ".docker").write_text("")
    with pytest.raises(config_file.ConfigFileError, match=r"\.docker"):
        config_file.read(account)


@as_root
def test_files_written_by_root_belong_to_the_user(nobody: run_as.Account) -> None:
    config_file.require_writable(nobody)
    config_file.write(nobody, "{}")
    for path in (Path(nobody.home) / ".docker", Path(nobody.home) / ".docker" / "config.json"):
        assert (path.stat().st_uid, path.stat().st_gid) == (nobody.uid, nobody.gid)
    assert config_file.read(nobody).private


@as_root
def test_a_link_to_another_users_file_is_not_followed(nobody: run_as.Account, tmp_path: Path) -> None:
    secret = tmp_path / "of-root"
    secret.write_text('{"root": "only"}')
    secret.chmod(0o600)
    path = Path(nobody.home) / ".docker" / "config.json"
    with run_as.acting_as(nobody):
        path.parent.mkdir()
        path.symlink_to(secret)
    with pytest.raises(config_file.ConfigFileError, match="cannot be read as nobody"):
        config_file.read(nobody)
    with pytest.raises(OSError, match="Permission denied"):
        config_file.write(nobody, "{}")
    assert secret.read_text() == '{"root": "only"}'


@as_root
def test_a_directory_owned_by_root_is_rejected_with_a_remedy(nobody: run_as.Account) -> None:
    (Path(nobody.home) / ".docker").mkdir()
    with pytest.raises(config_file.ConfigFileError, match="chown -R nobody: "):
        config_file.require_writable(nobody)


@as_root
def test_a_read_only_home_is_rejected_before_the_write(nobody: run_as.Account) -> None:
    os.chown(nobody.home, 0, 0)
    Path(nobody.home).chmod(0o755)
    with pytest.raises(config_file.ConfigFileError, match="nobody has no write permission in"):
        config_file.require_writable(nobody)


def test_a_read_does_not_block_on_a_pipe_that_replaces_the_file(account: run_as.Account) -> None:
    """Fault: a user's `config.json` becomes a pipe. Outcome: one sentence; nothing hangs."""
    path = put(account, "{}")
    with pytest.raises(config_file.ConfigFileError, match="not a regular file"), exchanged(path, os.mkfifo):
        config_file.read(account)


def test_restore_replaces_a_pipe(account: run_as.Account) -> None:
    path = put(account, "{}")
    before = config_file.read(account)
    path.unlink()
    os.mkfifo(path)
    with ended_after(10):
        config_file.restore(account, before)
    assert path.read_text() == "{}"


def test_an_oversized_file_is_rejected(account: run_as.Account, little_memory: None) -> None:
    """Fault: a user's `config.json` has gigabytes. Outcome: refused in one sentence."""
    with put(account, "{}").open("r+b") as stream:
        stream.truncate(8 << 30)
    with pytest.raises(config_file.ConfigFileError, match=r"\(it is larger than 1024 KiB\): move it away"):
        config_file.read(account)


def test_a_write_does_not_block_on_a_pipe_that_replaces_the_directory(account: run_as.Account) -> None:
    path = put(account, "{}")
    with pytest.raises(files.WriteError, match="Not a directory"), exchanged(path.parent, os.mkfifo):
        config_file.write(account, '{"auths": {}}')
