# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import Account
from ansible_collections.slipway.platform.plugins.module_utils.rootless import subids
from ansible_collections.slipway.platform.plugins.module_utils.rootless.settings import RootlessError
from ansible_collections.slipway.platform.plugins.module_utils.rootless.subids import SUBGID, SUBUID, Range
from hypothesis import given
from hypothesis import strategies as st

ALICE = Account("alice", 1001, 1001, "/home/alice")
ENTRY: dict[str, Any] = {"subid_start": None, "subid_count": 65536}
HOLD = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); input()"


@pytest.fixture(autouse=True)
def no_real_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subids, "accounts", list)


def choose(subuid: str, subgid: str | None = None, login_defs: str = "", **entry: Any) -> Range | None:
    known = {SUBUID: subids.parse(subuid), SUBGID: subids.parse(subuid if subgid is None else subgid)}
    chosen: Range | None = subids.choose(ALICE, {**ENTRY, **entry}, known, login_defs)
    return chosen


def test_ranges_are_read_as_newuidmap_reads_them() -> None:
    text = "alice:100000:65536\n# comment\nbroken:x:1\n\n1002:165536:65536"
    assert subids.parse(text) == [Range("alice", 100000, 65536), Range("1002", 165536, 65536)]
    assert subids.parse(None) == []


def test_a_user_with_a_range_by_name_or_by_number_keeps_it() -> None:
    assert choose("alice:100000:65536\n") is None
    assert choose("1001:100000:65536\n") is None
    assert choose("alice:100000:30000\nalice:200000:40000\n") is None


def test_a_new_range_is_the_lowest_that_is_free_in_both_files() -> None:
    assert choose("") == Range("alice", 100000, 65536)
    assert choose("bob:100000:65536\n", "carol:165536:65536\n") == Range("alice", 231072, 65536)
    # Between two, and the one that is too small is no hindrance.
    assert choose("bob:100000:10\ncarol:300000:65536\nalice:500000:10\n") == Range("alice", 100010, 65536)


def test_the_bounds_are_those_of_login_defs() -> None:
    defs = "# SUB_UID_MIN 5\nSUB_UID_MIN\t\t524288\nSUB_GID_MIN 600000\nSUB_UID_MAX 700000 \n"
    assert choose("", login_defs=defs) == Range("alice", 600000, 65536)
    with pytest.raises(RootlessError, match=r"no 65536 free numbers from 600000 to 700000 for alice.*SUB_UID_MAX"):
        choose("bob:600000:65536\n", login_defs=defs)


def test_numbers_of_real_users_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subids, "accounts", lambda: [Range("", 150000, 1)])
    assert choose("") == Range("alice", 150001, 65536)
    with pytest.raises(RootlessError, match="contains 150000, which is the number of a real user"):
        choose("", subid_start=100000)


def test_ranges_that_overlap_are_refused_with_the_command_that_ends_it() -> None:
    with pytest.raises(RootlessError, match=r"usermod --del-subuids 120000-185535 bob"):
        choose("alice:100000:65536\nbob:120000:65536\n")
    with pytest.raises(RootlessError, match=r"usermod --del-subgids 100000-100009 bob"):
        choose("alice:100000:65536\n", "alice:100000:65536\nbob:100000:10\n")
    with pytest.raises(RootlessError, match=r"alice that starts at 100000 overlaps that of bob in /etc/subuid"):
        choose("bob:150000:65536\n", subid_start=100000)
    # Others among themselves are not this role's.
    assert choose("bob:100000:65536\ncarol:100000:65536\n") == Range("alice", 165536, 65536)


def test_a_range_that_an_interrupted_run_wrote_to_one_file_is_completed() -> None:
    wanted = Range("alice", 200000, 65536)
    assert choose("alice:200000:65536\n", "", subid_start=200000) == wanted
    assert subids.added("alice:200000:65536\n", wanted) == "alice:200000:65536\n"


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=8), st.integers(1, 60))
def test_a_chosen_range_never_overlaps(taken: list[tuple[int, int]], count: int) -> None:
    ranges = [Range("bob", *item) for item in taken]
    start = subids.lowest_free(ranges, count, 10, 300)
    if start is not None:
        assert 10 <= start <= 300 - count + 1
        assert not any(subids.overlap(Range("alice", start, count), item) for item in ranges)


def test_a_line_is_added_and_taken_out_again_and_nothing_else() -> None:
    item = Range("alice", 165536, 65536)
    for text in ("", "bob:100000:65536\n", "bob:100000:65536"):
        more = subids.added(text, item)
        assert more.endswith("\nalice:165536:65536\n") or more == "alice:165536:65536\n"
        assert subids.without(more, item).rstrip("\n") == text.rstrip("\n")


def test_files_are_replaced_with_their_modes(tmp_path: Path) -> None:
    old, new = tmp_path / "subuid", tmp_path / "subgid"
    old.write_text("x")
    old.chmod(0o640)
    subids.rewrite({str(old): "y\n", str(new): "z\n"})
    assert (old.read_text(), old.stat().st_mode & 0o777) == ("y\n", 0o640)
    assert (new.read_text(), new.stat().st_mode & 0o777) == ("z\n", 0o644)


def test_a_lock_that_useradd_holds_is_waited_for_and_then_named(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdin
        holder.stdout.readline()
        with (
            pytest.raises(RootlessError, match=r"has locked .*lock for 0\.1 seconds.*fuser"),
            subids.locked(str(lock), 0.1),
        ):
            raise AssertionError("the lock was taken twice")
        holder.stdin.close()
        with subids.locked(str(lock), 10):
            pass


def test_the_lock_keeps_others_out(tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    with subids.locked(lock), multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(is_free, (lock,)) is False
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(is_free, (lock,)) is True


def is_free(path: str) -> bool:
    with Path(path).open("w") as file:
        return bool(subids.try_lock(file.fileno()))
