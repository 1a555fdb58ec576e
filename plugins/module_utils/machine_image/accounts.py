# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find and lock passwords in /etc/passwd, shadow, group and gshadow."""

import re

# Matches no password, but does not mark the account as locked like "!", for which sshd rejects keys too.
LOCKED = b"*"
# The output of crypt(3): a method and its parameters, or at least the thirteen characters of DES.
HASH = re.compile(rb"\$.|[./0-9A-Za-z_]{13}")


def find_passwords(content, of_groups, kept):
    """Return the names with a usable or empty password, other than those kept; an empty one is fine for groups."""
    return [name for name, field in entries(content) if is_open(field, of_groups) and name not in kept]


def lock_passwords(content, of_groups, kept):
    """Return the content of the file with these passwords locked."""
    lines = content.split(b"\n")
    for number, line in enumerate(lines):
        for name, field in entries(line):
            if is_open(field, of_groups) and name not in kept:
                lines[number] = line.replace(b":" + field, b":" + LOCKED, 1)
    return b"\n".join(lines)


def entries(content):
    for line in content.split(b"\n"):
        fields = line.split(b":")
        if len(fields) > 3 and fields[0][:1] not in (b"", b"#", b"+", b"-"):  # + and - are NIS entries
            yield fields[0].decode("utf-8", "surrogateescape"), fields[1]


def is_open(field, of_groups):
    return bool(HASH.match(field)) if field else not of_groups
