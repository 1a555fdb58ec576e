# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Plan the commands that bring a group and its members to the desired state.

Users and groups are looked up through NSS, so those of a directory service count too.
"""

import grp
import pwd
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

GROUP = "/etc/group"
GSHADOW = "/etc/gshadow"
# Who has the rights of a group: its members; users whose primary group it is; members of other groups with the same GID
# (a dict of lists); administrators, who can add members; and anyone who knows its password, if it has one.
# Users listed only in /etc/gshadow become members as soon as a tool synchronizes the two files.
Access = namedtuple("Access", ["members", "primary", "same_gid", "administrators", "password", "shadow_members"])
NO_ACCESS = Access([], [], {}, [], False, [])


class GroupError(ValueError):
    """The group cannot be brought to the desired state; str() is the message for the user."""


def unknown_users(names):
    """Return the names that neither the host's files nor its directory service know."""
    return [name for name in names if not is_user(name)]


def is_user(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def find(name):
    """Return the group's entry, or None."""
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def owner_of(gid):
    """Return the name of the group with this GID, or None."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return None


def refuse_taken(name, gid):
    owner = None if gid is None else owner_of(gid)
    if owner not in (None, name):
        raise GroupError(f"GID {gid} belongs to {owner}: choose another docker_access_group_gid")


def access_to(entry, gshadow=GSHADOW):
    """Return who has the rights of the group; entry is None for a group that does not exist."""
    if entry is None:
        return NO_ACCESS
    password, administrators, shadow_members = shadow_of(entry, gshadow)
    return Access(
        members=entry.gr_mem,
        primary=[user.pw_name for user in pwd.getpwall() if user.pw_gid == entry.gr_gid],
        same_gid={
            other.gr_name: other.gr_mem
            for other in grp.getgrall()
            if other.gr_gid == entry.gr_gid and other.gr_name != entry.gr_name
        },
        administrators=administrators,
        password=is_usable(password),
        shadow_members=[user for user in shadow_members if user not in entry.gr_mem],
    )


def shadow_of(entry, gshadow):
    """Return password, administrators and members from gshadow, which newgrp prefers over /etc/group."""
    lines = (line.split(":") for line in (read_text(gshadow) or "").splitlines())
    found = next((fields for fields in lines if fields[0] == entry.gr_name and len(fields) == 4), None)
    if found is None:
        return entry.gr_passwd, [], []
    return found[1], split_names(found[2]), split_names(found[3])


def split_names(text):
    return [name for name in text.split(",") if name]


def is_usable(password):
    """Return whether a password can match the field: an empty or locked one (!, *) matches none."""
    return password not in ("", "x") and not password.startswith(("!", "*"))


def effective_members(access):
    """Return the users who have the rights of the group now, sorted."""
    return sorted({*access.members, *access.primary, *(name for names in access.same_gid.values() for name in names)})


def local_members(name):
    """Return the members in the host's own file; None for a group that is not in it."""
    lines = (line.split(":") for line in (read_text(GROUP) or "").splitlines())
    return next((split_names(fields[3]) for fields in lines if fields[0] == name and len(fields) == 4), None)


def refuse_remote(name, planned):
    """Raise GroupError if a planned command would change what only a directory service can change."""
    local = local_members(name)
    if local is None and planned and planned[0][0] != "groupadd":
        raise GroupError(
            f"the group {name} is not in {GROUP}, so a directory service defines it and {planned[0][0]} cannot change "
            "it: change it there, set docker_access_socket_group_shared: true, and leave docker_access_members, "
            "docker_access_exclusive and docker_access_group_gid at their defaults; or choose a group of the host"
        )
    leaving = [command[2] for command in planned if command[:2] == ["gpasswd", "--delete"]]
    remote = [user for user in leaving if user not in (local or []) and is_member(user, name)]
    if remote:
        raise GroupError(
            f"docker_access_exclusive cannot exclude {' and '.join(remote)}, whom a directory service and not {GROUP} "
            f"makes a member of {name}: remove them there, or add them to docker_access_members"
        )


def is_member(user, name):
    entry = find(name)
    return entry is not None and user in entry.gr_mem


def refuse_irremovable(name, members, access):
    """Raise GroupError if users other than members have access that only the administrator can revoke."""
    primary = [user for user in access.primary if user not in members]
    if primary:
        raise GroupError(
            f"docker_access_exclusive cannot exclude {' and '.join(primary)}, whose primary group is {name}: change "
            f"it, as in usermod --gid users {primary[0]}, or add them to docker_access_members"
        )
    others = sorted(other for other, names in access.same_gid.items() if set(names) - set(members))
    if others:
        raise GroupError(
            f"docker_access_exclusive cannot exclude the members of {' and '.join(others)}, which has the same GID as "
            f"{name}: change it, as in groupmod --gid 4444 {others[0]}"
        )


def is_own(name, recorded):
    """Return whether the group is the engine's: docker of this host, created for the engine, or missing yet."""
    return name in recorded or find(name) is None or (name == "docker" and local_members(name) is not None)


def refuse_foreign(name, recorded, members, exclusive, gid, shared):
    """Raise GroupError for a group that is not the engine's, unless it is shared and stays unchanged."""
    own = is_own(name, recorded)
    if name == "docker" and not own and not shared:
        return  # of a directory service; refuse_remote is for changes of it
    if own and shared:
        raise GroupError(
            f"docker_access_socket_group_shared is for a group that existed before the engine, but {name} is the "
            "engine's: set it to false"
        )
    if own:
        return
    if not shared:
        raise GroupError(
            f"the group {name} existed before the engine, and its members would gain root access: use docker or a "
            "group that does not exist yet, or set docker_access_socket_group_shared: true to grant them access"
        )
    if members or exclusive or gid is not None:
        raise GroupError(
            f"the group {name} does not belong to the engine and is not changed: leave docker_access_members, "
            "docker_access_exclusive and docker_access_group_gid at their defaults"
        )


def commands(name, gid, members, exclusive, entry, access=None):
    """Return the commands, in order, that bring the group to the desired state; entry is the current group, or None."""
    access = access or access_to(entry)
    planned = group_command(name, gid, entry)
    planned += [["gpasswd", "--add", user, name] for user in members if user not in (entry.gr_mem if entry else [])]
    return planned + (exclusion(name, members, access) if exclusive else [])


def exclusion(name, members, access):
    """Return the commands that revoke the access of everyone but members, including access not used yet."""
    leaving = access.members + access.shadow_members
    planned = [["gpasswd", "--delete", user, name] for user in leaving if user not in members]
    kept = kept_administrators(members, access)
    if kept != access.administrators:
        planned.append(["gpasswd", "--administrators", ",".join(kept), name])
    if access.password:
        planned.append(["gpasswd", "--remove-password", name])
    return planned


def kept_administrators(members, access):
    return [user for user in access.administrators if user in members]


def difference(before, after, exclusive, access):
    """Return a line each for who has access before and after the commands, for the diff."""
    kept = (kept_administrators(after, access), False) if exclusive else (access.administrators, access.password)
    return described(before, access.administrators, access.password), described(after, *kept)


def described(names, administrators, password):
    more = ["administrators: " + " ".join(administrators)] if administrators else []
    more += ["password set"] if password else []
    return " ".join([*names, *(["(" + ", ".join(more) + ")"] if more else [])])


def group_command(name, gid, entry):
    number = [] if gid is None else ["--gid", str(gid)]
    if entry is None:
        return [["groupadd", "--system", *number, name]]
    if gid not in (None, entry.gr_gid):
        return [["groupmod", *number, name]]
    return []


def members_after(members, exclusive, access):
    """Return who has the rights of the group after the commands have run, sorted."""
    return sorted(set(members) | set([] if exclusive else effective_members(access)))
