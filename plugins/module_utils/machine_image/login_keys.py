# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find the files of authorized keys that AuthorizedKeysFile in sshd_config adds to the default ones."""

import os
import re
import stat

CONFIGURATIONS = ["etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*.conf", "usr/etc/ssh/sshd_config"]
SETTING = re.compile(r"(?im)^[ \t]*AuthorizedKeysFile(?:[ \t]*=[ \t]*|[ \t]+)([^\r\n#]+)")


def patterns(tree):
    """Return the values in all files and Match blocks: with %u and %h, relative to the home without a leading slash."""
    found = set()  # type: set[str]
    for configuration in CONFIGURATIONS:
        for path in tree.glob(configuration):
            text = (tree.read(tree.resolve(tree.inside(path))) or b"").decode("utf-8", "surrogateescape")
            for names in SETTING.findall(text):
                found.update(name.strip('"') for name in names.split())
    return sorted(found - {"none"})


def files(tree, kept):
    """Return the files of authorized keys, except those of the kept users. No link in a home directory is followed."""
    return (path for path in matches(tree, kept) if is_file_or_link(path))


def is_file_or_link(path):
    """Return whether to count the path: sites that allow no keys set AuthorizedKeysFile to /dev/null."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def matches(tree, kept):
    for pattern in patterns(tree):
        in_home = pattern[3:] if pattern.startswith("%h/") else pattern
        if not in_home.startswith("/"):
            for home, users in sorted(tree.homes().items()):
                if users.isdisjoint(kept):
                    yield from tree.below(home, in_home.split("/"))
        else:
            stay = {tree.resolve(pattern.replace("%u", user)) for user in kept}
            listed = tree.glob(pattern.lstrip("/").replace("%u", "*"))
            yield from (path for path in listed if path not in stay)
