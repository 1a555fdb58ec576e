# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Acts for another user with no more rights than he has, so that nothing that he plants can mislead root."""

import contextlib
import os
import pwd
from collections import namedtuple

Account = namedtuple("Account", ["name", "uid", "gid", "home"])


class AccountError(Exception):
    """Nothing can be done for this user; the text is the sentence."""


def find_account(name):
    """The account of that name, with a home that exists."""
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
    """Within, the user's identity counts for every access to files."""
    if account.uid == os.geteuid():
        yield
        return
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    try:
        take(groups_of(account), account.gid, account.uid)
    except PermissionError as error:
        raise AccountError(f"this process may not act as {account.name}: run the task as root") from error
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


def take(groups, gid, uid):
    """The user last: after him there is no right to change the groups."""
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)


def becoming(account):
    """What a child process calls to be the user for good: with the real identity of root it could turn back."""
    groups = groups_of(account)
    changes_user = account.uid != os.geteuid()

    def become():
        if changes_user:
            os.setgroups(groups)
            os.setgid(account.gid)
            os.setuid(account.uid)
        os.umask(0o077)

    return become
