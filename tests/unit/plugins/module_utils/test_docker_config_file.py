# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import acting_as, docker_config_file

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for others")


@pytest.fixture
def account(tmp_path: Path) -> acting_as.Account:
    return acting_as.Account(pwd.getpwuid(os.getuid()).pw_name, os.getuid(), os.getgid(), str(tmp_path))


@pytest.fixture
def nobody() -> Iterator[acting_as.Account]:
    """Somebody else, with a home of his own."""
    entry = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, entry.pw_uid, entry.pw_gid)
        yield acting_as.Account(entry.pw_name, entry.pw_uid, entry.pw_gid, home)


def put(account: acting_as.Account, text: str, file_mode: int = 0o600, directory_mode: int = 0o700) -> Path:
    path = Path(docker_config_file.path_of(account))
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(file_mode)
    path.parent.chmod(directory_mode)
    return path


def modes(account: acting_as.Account) -> tuple[int, int]:
    path = Path(docker_config_file.path_of(account))
    return path.stat().st_mode & 0o7777, path.parent.stat().st_mode & 0o7777


def test_a_new_file_is_private(account: acting_as.Account) -> None:
    assert docker_config_file.read(account) == (None, {}, None, None, True)
    docker_config_file.require_writable(account)
    docker_config_file.write(account, '{"auths": {}}')
    assert modes(account) == (0o600, 0o700)
    assert docker_config_file.read(account).config == {"auths": {}}


@pytest.mark.parametrize(("file_mode", "directory_mode"), [(0o644, 0o700), (0o600, 0o755), (0o400, 0o700)])
def test_open_modes_are_noticed_and_closed(account: acting_as.Account, file_mode: int, directory_mode: int) -> None:
    put(account, "{}", file_mode, directory_mode)
    before = docker_config_file.read(account)
    assert not before.fine
    docker_config_file.write(account, "{}")
    assert docker_config_file.read(account).fine
    docker_config_file.restore(account, before)
    assert docker_config_file.read(account) == before


def test_a_write_is_undone_without_a_trace(account: acting_as.Account) -> None:
    before = docker_config_file.read(account)
    docker_config_file.write(account, "{}")
    docker_config_file.restore(account, before)
    docker_config_file.restore(account, before)
    assert list(Path(account.home).iterdir()) == []


def test_a_link_is_written_through(account: acting_as.Account, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "config.json"
    link = put(account, "{}")
    link.unlink()
    link.symlink_to(target)
    docker_config_file.require_writable(account)
    docker_config_file.write(account, "{}")
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o7777) == ("{}", 0o600)


def test_what_is_no_file_is_refused(account: acting_as.Account) -> None:
    path = put(account, "{}")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(docker_config_file.ConfigFileError, match="not a regular file"):
        docker_config_file.read(account)


def test_a_file_in_place_of_the_directory_is_refused(account: acting_as.Account, tmp_path: Path) -> None:
    (tmp_path / ".docker").write_text("")
    with pytest.raises(docker_config_file.ConfigFileError, match=r"\.docker"):
        docker_config_file.read(account)


@as_root
def test_what_root_writes_belongs_to_the_user(nobody: acting_as.Account) -> None:
    docker_config_file.require_writable(nobody)
    docker_config_file.write(nobody, "{}")
    for path in (Path(nobody.home) / ".docker", Path(nobody.home) / ".docker" / "config.json"):
        assert (path.stat().st_uid, path.stat().st_gid) == (nobody.uid, nobody.gid)
    assert docker_config_file.read(nobody).fine


@as_root
def test_a_planted_link_gains_nothing(nobody: acting_as.Account, tmp_path: Path) -> None:
    secret = tmp_path / "of-root"
    secret.write_text('{"root": "only"}')
    secret.chmod(0o600)
    path = Path(nobody.home) / ".docker" / "config.json"
    with acting_as.acting_as(nobody):
        path.parent.mkdir()
        path.symlink_to(secret)
    with pytest.raises(docker_config_file.ConfigFileError, match="cannot be read as nobody"):
        docker_config_file.read(nobody)
    with pytest.raises(OSError, match="Permission denied"):
        docker_config_file.write(nobody, "{}")
    assert secret.read_text() == '{"root": "only"}'


@as_root
def test_a_directory_of_root_is_refused_with_the_remedy(nobody: acting_as.Account) -> None:
    (Path(nobody.home) / ".docker").mkdir()
    with pytest.raises(docker_config_file.ConfigFileError, match="chown -R nobody: "):
        docker_config_file.require_writable(nobody)


@as_root
def test_a_closed_home_is_refused_before_the_write(nobody: acting_as.Account) -> None:
    os.chown(nobody.home, 0, 0)
    Path(nobody.home).chmod(0o755)
    with pytest.raises(docker_config_file.ConfigFileError, match="nobody may not write into"):
        docker_config_file.require_writable(nobody)
