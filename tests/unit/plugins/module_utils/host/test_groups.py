# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import grp
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import groups
from hypothesis import given
from hypothesis import strategies as st

NO_ACCESS = groups.NO_ACCESS
GID = 4_000_000_000  # not the GID of any user here
NAMES = st.lists(st.sampled_from(["alice", "bob", "carol", "dave"]), unique=True)


def entry(members: list[str], gid: int = GID) -> grp.struct_group:
    return grp.struct_group(("docker", "x", gid, members))


def test_a_missing_group_is_created_as_a_system_group_before_members_are_added() -> None:
    assert groups.commands("docker", 4444, ["alice"], False, None) == [
        ["groupadd", "--system", "--gid", "4444", "docker"],
        ["gpasswd", "--add", "alice", "docker"],
    ]


def test_a_gid_is_changed_only_when_another_one_is_requested() -> None:
    assert groups.commands("docker", 4444, [], False, entry([]), NO_ACCESS) == [["groupmod", "--gid", "4444", "docker"]]
    assert groups.commands("docker", None, [], False, entry([]), NO_ACCESS) == []
    assert groups.commands("docker", GID, [], False, entry([]), NO_ACCESS) == []


@given(NAMES, NAMES, NAMES, st.booleans())
def test_the_commands_result_in_the_announced_members(
    wanted: list[str], present: list[str], hidden: list[str], exclusive: bool
) -> None:
    """`hidden` are members in gshadow only."""
    shadow = sorted({*hidden} - {*present})
    access = NO_ACCESS._replace(members=present, shadow_members=shadow)
    members, left = set(present), set(shadow)
    for command in groups.commands("docker", None, wanted, exclusive, entry(present), access):
        _, verb, user, _ = command
        members = members | {user} if verb == "--add" else members - {user}
        left -= {user}
    assert sorted(members) == groups.members_after(wanted, exclusive, access)
    assert not exclusive or not left - {*wanted}
    assert set(wanted) <= members
    assert not exclusive or members == set(wanted)


def gshadow(tmp_path: Path, line: str) -> str:
    path = tmp_path / "gshadow"
    path.write_text(f"root:*::\n{line}\nusers:!::\n")
    return str(path)


@pytest.mark.parametrize(
    ("line", "shadow_members", "administrators", "password"),
    [
        ("docker:!::alice", [], [], False),
        ("docker:!:carol:alice,bob", ["bob"], ["carol"], False),
        ("docker:$6$salt$hash::alice", [], [], True),
        ("docker:!$6$salt$hash::", [], [], False),
        ("docker:*::", [], [], False),
        ("docker:::", [], [], False),
        ("dockers:$6$salt$hash:carol:bob", [], [], False),
    ],
)
def test_administrators_password_and_further_members_are_read_from_gshadow(
    tmp_path: Path, line: str, shadow_members: list[str], administrators: list[str], password: bool
) -> None:
    access = groups.access_to(entry(["alice"]), gshadow(tmp_path, line))
    assert access == NO_ACCESS._replace(
        members=["alice"], shadow_members=shadow_members, administrators=administrators, password=password
    )


def test_a_password_in_etc_group_counts_without_gshadow(tmp_path: Path) -> None:
    old = grp.struct_group(("docker", "$1$salt$hash", GID, []))
    assert groups.access_to(old, str(tmp_path / "gshadow")).password
    assert not groups.access_to(entry([]), str(tmp_path / "gshadow")).password


def test_users_with_this_primary_group_are_effective_members(tmp_path: Path) -> None:
    access = groups.access_to(grp.getgrnam("root"), str(tmp_path / "gshadow"))
    assert "root" in access.primary
    assert "root" in groups.effective_members(access)


def test_an_exclusive_list_removes_administrators_and_the_password() -> None:
    access = NO_ACCESS._replace(members=["alice"], administrators=["alice", "carol"], password=True)
    planned = groups.commands("docker", None, ["alice"], True, entry(["alice"]), access)
    assert planned == [["gpasswd", "--administrators", "alice", "docker"], ["gpasswd", "--remove-password", "docker"]]
    assert groups.commands("docker", None, ["alice"], False, entry(["alice"]), access) == []
    before, after = groups.difference(["alice"], ["alice"], True, access)
    assert before == "alice (administrators: alice carol, password set)"
    assert after == "alice (administrators: alice)"


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (NO_ACCESS._replace(primary=["alice", "bob"]), ["exclude bob,", "usermod --gid users bob"]),
        (NO_ACCESS._replace(same_gid={"builders": ["alice", "bob"]}), ["builders", "groupmod --gid"]),
    ],
)
def test_access_that_an_exclusive_list_cannot_revoke_is_reported_by_name(access: Any, words: list[str]) -> None:
    with pytest.raises(groups.GroupError) as caught:
        groups.refuse_irremovable("docker", ["alice"], access)
    assert all(word in str(caught.value) for word in words)
    groups.refuse_irremovable("docker", ["alice", "bob"], access)


Request = tuple[list[str], bool, int | None]
NOTHING: Request = ([], False, None)
CHANGES: list[Request] = [(["alice"], False, None), ([], True, None), ([], False, 7)]


@pytest.mark.parametrize("asked", [NOTHING, *CHANGES])
def test_a_group_that_existed_before_the_engine_is_refused(asked: Request) -> None:
    """root stands in for wheel, from which an exclusive list would remove every administrator."""
    with pytest.raises(groups.GroupError, match="root existed before the engine"):
        groups.refuse_foreign("root", [], *asked, shared=False)
    groups.refuse_foreign("root", ["root"], *asked, shared=False)


@pytest.mark.parametrize("asked", CHANGES)
def test_a_shared_group_gets_access_and_is_never_changed(asked: Request) -> None:
    groups.refuse_foreign("root", [], *NOTHING, shared=True)
    with pytest.raises(groups.GroupError, match="is not changed"):
        groups.refuse_foreign("root", [], *asked, shared=True)


@pytest.mark.parametrize("own", ["docker", "no-such-group"])
def test_the_engines_own_group_cannot_be_shared(own: str) -> None:
    groups.refuse_foreign(own, [], ["alice"], True, 7, shared=False)
    with pytest.raises(groups.GroupError, match="set it to false"):
        groups.refuse_foreign(own, [], *NOTHING, shared=True)


def test_users_unknown_to_the_host_are_found() -> None:
    assert groups.unknown_users(["root", "no-such-user", "nobody"]) == ["no-such-user"]


def test_a_gid_that_belongs_to_another_group_is_refused_with_its_name() -> None:
    with pytest.raises(groups.GroupError, match="0 belongs to root"):
        groups.refuse_taken("docker", 0)
    groups.refuse_taken("root", 0)
    groups.refuse_taken("docker", None)


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory service that defines the group docker and adds eve to its members; return the host's own file."""
    monkeypatch.setattr(groups, "find", {"docker": entry(["alice", "eve"])}.get)
    monkeypatch.setattr(groups, "GROUP", str(tmp_path / "group"))
    return tmp_path / "group"


@pytest.mark.parametrize("asked", [*CHANGES, (["bob"], True, 7)])
def test_a_group_that_only_a_directory_service_defines_is_not_changed(directory: Path, asked: Request) -> None:
    members, exclusive, gid = asked
    found = entry(["eve"])
    planned = groups.commands("docker", gid, [*members, "bob"], exclusive, found, NO_ACCESS._replace(members=["eve"]))
    groups.refuse_foreign("docker", [], *asked, shared=False)
    with pytest.raises(groups.GroupError, match=r"is not in .*group, so a directory service defines it") as caught:
        groups.refuse_remote("docker", planned)
    assert "docker_access_socket_group_shared: true" in str(caught.value)


def test_a_group_of_a_directory_service_may_be_used_as_it_is(directory: Path) -> None:
    """As the remedy says."""
    groups.refuse_remote("docker", [])
    groups.refuse_foreign("docker", [], *NOTHING, shared=False)
    groups.refuse_foreign("docker", [], *NOTHING, shared=True)


def test_a_member_whom_a_directory_service_adds_cannot_be_excluded(directory: Path) -> None:
    directory.write_text("root:x:0:\ndocker:x:4:alice,shadowed\n")
    access = NO_ACCESS._replace(members=["alice", "eve"], shadow_members=["hidden"])
    excluding = groups.commands("docker", None, [], True, entry(["alice", "eve"]), access)
    with pytest.raises(groups.GroupError, match="cannot exclude eve, whom a directory service"):
        groups.refuse_remote("docker", excluding)
    groups.refuse_remote("docker", [command for command in excluding if "eve" not in command])
    groups.refuse_remote("docker", groups.commands("docker", None, ["bob"], False, entry(["alice"]), NO_ACCESS))


def test_a_group_that_does_not_exist_yet_is_created(directory: Path) -> None:
    groups.refuse_remote("new", groups.commands("new", None, ["alice"], False, None))
