# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import getpass
import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for others")


@pytest.fixture
def nobody() -> run_as.Account:
    entry = pwd.getpwnam("nobody")
    return run_as.Account(entry.pw_name, entry.pw_uid, entry.pw_gid, "/")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that other users may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o777)
        yield Path(path)


def identity() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), os.getgroups()


def test_an_unknown_user_is_named() -> None:
    with pytest.raises(run_as.AccountError, match="'no-such-user' does not exist"):
        run_as.find_account("no-such-user")


def test_acting_as_oneself_needs_no_root() -> None:
    account = run_as.find_account(getpass.getuser())
    with run_as.acting_as(account):
        assert os.geteuid() == account.uid == os.getuid()


@as_root
def test_files_belong_to_the_user_and_the_identity_is_restored(open_directory: Path, nobody: run_as.Account) -> None:
    before = identity()
    with pytest.raises(RuntimeError), run_as.acting_as(nobody):
        (open_directory / "mine").write_text("")
        assert identity() == (nobody.uid, nobody.gid, run_as.groups_of(nobody))
        raise RuntimeError
    assert identity() == before
    status = (open_directory / "mine").stat()
    assert (status.st_uid, status.st_gid) == (nobody.uid, nobody.gid)


@as_root
def test_files_that_the_user_may_not_read_stay_unreadable(tmp_path: Path, nobody: run_as.Account) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of root")
    secret.chmod(0o600)
    with run_as.acting_as(nobody), pytest.raises(PermissionError):
        os.open(secret, os.O_RDONLY)


@as_root
def test_a_child_process_cannot_regain_privileges(nobody: run_as.Account) -> None:
    shown = subprocess.run(
        ["grep", "-E", "^(Uid|Gid):", "/proc/self/status"],
        preexec_fn=run_as.drop_privileges_to(nobody),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["Uid:"] + 4 * [str(nobody.uid)] + ["Gid:"] + 4 * [str(nobody.gid)]
