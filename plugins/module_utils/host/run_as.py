# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Act for another user with only their privileges, so that nothing they plant can mislead root."""

import contextlib
import os
import pwd
from collections import namedtuple

Account = namedtuple("Account", ["name", "uid", "gid", "home"])


class AccountError(Exception):
    """This process cannot act for the user; str() is the message for the user."""


def find_account(name):
    """Return the account with this name; raise AccountError if it or its home directory does not exist."""
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError) as error:  # ValueError: a null byte
        raise AccountError(f"the user {name!r} does not exist on this host: create it first") from error
    account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)
    if account.uid != os.geteuid() and os.geteuid() != 0:
        raise AccountError(f"only root can write the files of {name}: run the task with become: true")
    with acting_as(account):
        if not os.path.isdir(account.home):
            raise AccountError(f"the home directory {account.home} of {name} does not exist: create it first")
    return account


def groups_of(account):
    return os.getgrouplist(account.name, account.gid)


@contextlib.contextmanager
def acting_as(account):
    """Access files with the user's identity within the context; raise AccountError without the privilege to."""
    if account.uid == os.geteuid():
        yield
        return
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    try:
        set_identity(groups_of(account), account.gid, account.uid)
    except PermissionError as error:
        raise AccountError(f"this process may not act as {account.name}: run the task as root") from error
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


def set_identity(groups, gid, uid):
    """Set the effective identity; the UID last, since without root the groups cannot be changed."""
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)


def drop_privileges_to(account):
    """Return a preexec_fn that switches a child to the user for good: the real IDs too, or it could switch back."""
    groups = groups_of(account)
    changes_user = account.uid != os.geteuid()

    def drop_privileges():
        if changes_user:
            os.setgroups(groups)
            os.setgid(account.gid)
            os.setuid(account.uid)
        os.umask(0o077)

    return drop_privileges
