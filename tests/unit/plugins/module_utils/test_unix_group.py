# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import grp

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import unix_group
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.lists(st.sampled_from(["alice", "bob", "carol", "dave"]), unique=True)


def entry(members: list[str], gid: int = 999) -> grp.struct_group:
    return grp.struct_group(("docker", "x", gid, members))


def test_a_missing_group_is_made_as_a_system_group_before_its_members_come() -> None:
    assert unix_group.commands("docker", 4444, ["alice"], False, None) == [
        ["groupadd", "--system", "--gid", "4444", "docker"],
        ["gpasswd", "--add", "alice", "docker"],
    ]


def test_a_number_that_differs_is_changed_and_one_that_is_not_asked_for_stays() -> None:
    assert unix_group.commands("docker", 4444, [], False, entry([])) == [["groupmod", "--gid", "4444", "docker"]]
    assert unix_group.commands("docker", None, [], False, entry([])) == []
    assert unix_group.commands("docker", 999, [], False, entry([])) == []


@given(NAMES, NAMES, st.booleans())
def test_the_plan_leads_to_the_members_that_it_announces(
    wanted: list[str], present: list[str], exclusive: bool
) -> None:
    members = set(present)
    for command in unix_group.commands("docker", None, wanted, exclusive, entry(present)):
        _, verb, user, _ = command
        members = members | {user} if verb == "--add" else members - {user}
    assert sorted(members) == unix_group.members_after(wanted, exclusive, entry(present))
    assert set(wanted) <= members
    assert not exclusive or members == set(wanted)


def test_users_are_looked_up_where_the_host_knows_them() -> None:
    assert unix_group.unknown_users(["root", "no-such-user", "nobody"]) == ["no-such-user"]


def test_a_number_that_belongs_to_another_group_is_refused_with_its_name() -> None:
    with pytest.raises(unix_group.GroupError, match="0 belongs to root"):
        unix_group.refuse_taken("docker", 0)
    unix_group.refuse_taken("root", 0)
    unix_group.refuse_taken("docker", None)
