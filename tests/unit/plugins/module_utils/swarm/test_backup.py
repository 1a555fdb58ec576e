# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Archives of a manager's state, and those that are something else."""

import base64
import io
import os
import tarfile
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, backup

NOTE = {"engine_version": "29.7.2", "swarm_id": "s1", "address": "10.0.0.1", "saved_at": 0}


def state(root: Path) -> Path:
    folder = root / "swarm"
    (folder / "certificates").mkdir(parents=True, mode=0o700)
    (folder / "certificates/swarm-node.key").write_text("key")
    (folder / "certificates/swarm-node.key").chmod(0o600)
    (folder / "docker-state.json").write_text("{}")
    return folder


def encoded(root: Path) -> str:
    return base64.b64encode(backup.archived(str(root), NOTE)).decode()


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state(tmp_path / "old")
    note, entries = backup.opened(encoded(tmp_path / "old"))
    assert note == NOTE
    backup.unpack(entries, str(tmp_path / "new"))
    key = tmp_path / "new/swarm/certificates/swarm-node.key"
    assert key.read_text() == "key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new/swarm/certificates").stat().st_mode & 0o077 == 0


def with_member(name: str, kind: bytes = tarfile.REGTYPE) -> str:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        note = tarfile.TarInfo(backup.NOTE)
        note.size = 2
        tar.addfile(note, io.BytesIO(b"{}"))
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    return base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "garbage",
        base64.b64encode(b"garbage").decode(),
        with_member("/etc/passwd"),
        with_member("swarm/../../etc/passwd"),
        with_member("swarm/link", tarfile.SYMTYPE),
        with_member("swarm/hard", tarfile.LNKTYPE),
        with_member("swarm/device", tarfile.CHRTYPE),
        with_member("other/file"),
    ],
)
def test_a_damaged_or_foreign_backup_is_refused(content: str) -> None:
    """Fault: a backup of a swarm is damaged, or was made by somebody else. Outcome: refused before the engine stops."""
    with pytest.raises(api.SwarmError, match="backup"):
        backup.opened(content)


def test_a_truncated_backup_is_refused(tmp_path: Path) -> None:
    (state(tmp_path) / "raft").write_bytes(os.urandom(100_000))
    whole = base64.b64decode(encoded(tmp_path))
    with pytest.raises(api.SwarmError, match="damaged"):
        backup.opened(base64.b64encode(whole[: len(whole) // 2]).decode())


def test_a_backup_of_another_engine_is_refused() -> None:
    backup.refuse_other_engine(NOTE, {"engine_version": "29.7.2"})
    with pytest.raises(api.SwarmError, match="set docker_engine_version"):
        backup.refuse_other_engine(NOTE, {"engine_version": "28.5.2"})


def test_a_host_knows_its_own_addresses() -> None:
    assert backup.is_local("127.0.0.1")
    assert not backup.is_local("")
    assert not backup.is_local("192.0.2.1")
    assert not backup.is_local("2001:db8::1")
    assert not backup.is_local("nowhere.invalid")


def test_an_address_that_the_host_may_bind_without_having_it_is_not_its_own() -> None:
    """Otherwise, with net.ipv4.ip_nonlocal_bind on all managers, each would become the only one of a restored swarm."""
    trie = """Local:
  +-- 10.9.8.0/24 2 0 2
     |-- 10.9.8.0
        /24 link UNICAST
     |-- 10.9.8.20
        /32 host LOCAL
     |-- 10.77.0.1
        /32 link UNICAST
        /32 host LOCAL
     |-- 10.9.8.255
        /32 link BROADCAST
     |-- 127.0.0.0
        /8 host LOCAL
"""
    assert backup.local_addresses(trie.splitlines()) == {"10.9.8.20", "10.77.0.1"}
