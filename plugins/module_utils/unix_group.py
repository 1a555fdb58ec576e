# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Plans what has to be done to a group and its members; users and groups are looked up wherever the host knows them."""

import grp
import pwd


class GroupError(ValueError):
    """The group cannot be as wanted; the text is the sentence for the user."""


def unknown_users(names):
    """The names that neither the host's files nor its directory service know."""
    return [name for name in names if not is_user(name)]


def is_user(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def find(name):
    """The group's entry, or None."""
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def owner_of(gid):
    """The name of the group that has the number, or None."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return None


def refuse_taken(name, gid):
    owner = None if gid is None else owner_of(gid)
    if owner not in (None, name):
        raise GroupError(f"the group id {gid} belongs to {owner}: choose another docker_access_group_gid")


def commands(name, gid, members, exclusive, entry):
    """The commands that make the group as wanted, in their order; entry is the group as it is, or None."""
    present = entry.gr_mem if entry else []
    planned = group_command(name, gid, entry)
    planned += [["gpasswd", "--add", user, name] for user in members if user not in present]
    if exclusive:
        planned += [["gpasswd", "--delete", user, name] for user in present if user not in members]
    return planned


def group_command(name, gid, entry):
    number = [] if gid is None else ["--gid", str(gid)]
    if entry is None:
        return [["groupadd", "--system", *number, name]]
    if gid not in (None, entry.gr_gid):
        return [["groupmod", *number, name]]
    return []


def members_after(members, exclusive, entry):
    """Who belongs to the group when the commands have run, sorted."""
    present = [] if exclusive or entry is None else entry.gr_mem
    return sorted(set(members) | set(present))
