# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Remove the artefacts that the checker finds from a root file system."""

import contextlib
import errno
import json
import os
import re
import stat

from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts as host_mounts
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import (
    accounts,
    artefacts,
    check,
    opening,
    presets,
)
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import GONE, TreeError

PRESET = "etc/systemd/system-preset/10-docker.preset"
# Where an engine stores files of a single container: /etc/hostname and the like, and anonymous volumes.
OF_A_CONTAINER = re.compile(r"/(?:containers|sandboxes)/(?:.*/)?[0-9a-f]{64}/|/volumes/[0-9a-f]{64}/_data$")
# A line of a shell script that only sets proxies, and possibly exports them.
SETS_PROXY_ONLY = re.compile(
    rb"""(?ix)
    (?P<indent>[ \t]*) (?:export[ \t]+)? ASSIGNMENT (?:[ \t]+ASSIGNMENT)*
    (?:[ \t]*;[ \t]*export(?:[ \t]+(?:\w+_)?proxy)+)?
    [ \t]*;?[ \t]* (?:(?<=[ \t;])\#.*)? (?P<end>\r?\n?)$""".replace(
        b"ASSIGNMENT",
        rb"""(?:\w+_)?proxy=(?:[^\s;&|<>()`\\"'$]|\$(?!\()|"(?:[^"\\`$]|\$(?!\())*"|'[^']*')+""",
    )
)


class SealError(Exception):
    """The image cannot be sealed; str() is the message for the user."""


def refuse_read_only(tree):
    if os.statvfs(tree.root).f_flag & os.ST_RDONLY:
        raise TreeError("{} is mounted read-only: remount it writable (mount -o remount,rw)".format(tree.root))


def refuse_mounted(tree, violations):
    """Raise TreeError if sealing would delete from a mount outside the image: the build host's cache, an NFS home."""
    mounts = host_mounts.current()
    if mounts:
        touched = [mount for violation in violations for mount in at_or_below(violation.path, mounts)]
        foreign = {mount.point for mount in touched if not belongs_to_image(mount, tree.root)}
        remedy = "unmount them and run again"
    else:
        foreign = {os.path.dirname(violation.path) for violation in violations if is_on_other_mount(tree, violation)}
        remedy = "unmount them, or mount /proc, which shows whether they are partitions of the image"
    if foreign:
        listed = ", ".join(sorted(tree.inside(point) for point in foreign))
        raise TreeError("Sealing would delete files on mounts outside the image ({}): {}".format(listed, remedy))


def at_or_below(path, mounts):
    """Return the mount that the path is on, if known, and the mounts below the path."""
    holder = host_mounts.holding(path, mounts)
    return [holder] * bool(holder) + [mount for mount in mounts if mount.point.startswith(path + "/")]


def refuse_longer_commands(tree, violations):
    """Raise TreeError for a proxy that cannot be removed from a shell script without breaking the rest."""
    for violation in violations:
        if violation.artefact.rule == artefacts.NO_PROXY_IN_SHELL:
            try:
                with tree.reading(violation.path), tree.file(violation.path) as stream:
                    lines = without_proxy_in_shell(stream).splitlines()
            except GONE:
                continue
            left = [number for number, line in enumerate(lines, 1) if check.PROXY_IN_SHELL.match(line)]
            if left:
                place = "{}, line {}".format(tree.inside(violation.path), left[0])
                raise TreeError(place + " sets a proxy as part of a longer command: remove it by hand and run again")


def belongs_to_image(mount, root):
    """Return whether this is a partition, the mount of the root, or one that ends with the system or its container."""
    if (root + "/").startswith(mount.point.rstrip("/") + "/") or OF_A_CONTAINER.search(mount.root):
        return True
    is_whole = mount.root == "/" or "subvol=" + mount.root in mount.options
    return is_whole and (mount.source.startswith("/dev/") or mount.kind == "tmpfs")


def is_on_other_mount(tree, violation):
    """Tell without /proc: renaming "." always fails, but with EXDEV only between mounts."""
    try:
        os.rename(os.path.join(tree.root, "."), os.path.join(os.path.dirname(violation.path), "."))
    except OSError as error:
        return error.errno == errno.EXDEV
    return False


def fix(tree, violation, keep_passwords_of=()):
    """Edit or remove the file as its artefact's rule demands; passwords of the named users stay. Raise SealError."""
    rule, path = violation.artefact.rule, violation.path
    try:
        if rule == artefacts.NO_PROXY:
            edit(tree, path, without_proxy)
        elif rule == artefacts.NO_PROXY_IN_SHELL:
            edit(tree, path, without_proxy_in_shell)
        elif rule in (artefacts.NO_PASSWORD, artefacts.NO_GROUP_PASSWORD):
            of_groups = rule == artefacts.NO_GROUP_PASSWORD
            edit(tree, path, lambda stream: without_passwords(stream, of_groups, keep_passwords_of))
        elif rule == artefacts.HELPERS_ONLY:
            keep_helpers(tree, path)
        elif rule == artefacts.EMPTY:
            edit(tree, path, empty)
        elif rule == artefacts.EMPTY_FILE:
            make_empty(tree, path)
        else:
            remove(tree, path)
    except FileNotFoundError:
        return  # already gone, with its directory or by itself
    except OSError as error:
        reason = error.strerror or error
        raise SealError("{} cannot be sealed: {}. Fix this and run again".format(path, reason)) from error


@contextlib.contextmanager
def folder_of(tree, path):
    """Open the directory of a file; yield its descriptor and the file's name in it.

    If a user has replaced a directory by a link since the listing, it is not followed and the seal fails.
    """
    with tree.folder(os.path.dirname(path)) as descriptor:
        yield descriptor, os.path.basename(path)


def remove(tree, path):
    """Remove a file, or a directory with its contents."""
    for found in [path, *tree.walk(path)][::-1]:
        with folder_of(tree, found) as (folder, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)


def edit(tree, path, change):
    """Edit a file in place: processes that have it open keep the same file, and owner, mode and SELinux label stay."""
    with folder_of(tree, path) as (folder, name):
        descriptor = opening.regular_file(name, os.O_RDWR | os.O_NOFOLLOW, folder)
        is_foreign = opening.is_link_of_others(os.fstat(descriptor), os.fstat(folder))
    with open(descriptor, "r+b") as stream:
        if is_foreign:
            raise OSError(errno.EMLINK, "it is a hard link to another user's file", path)
        content = change(stream)
        stream.seek(0)
        stream.write(content)
        stream.truncate()
    return content


def empty(_):
    return b""


def without_proxy(stream):
    return b"".join(line for line in check.lines_of(stream) if not check.PROXY_LINE.match(line))


def without_passwords(stream, of_groups, kept):
    return accounts.lock_passwords(opening.read(stream, opening.LARGEST_ACCOUNT_FILE), of_groups, kept)


def without_proxy_in_shell(stream):
    kept, before = [], b""
    for line in check.lines_of(stream):
        kept.append(without_proxy_in_command(line, before))
        before = line
    return b"".join(kept)


def without_proxy_in_command(line, before):
    """Replace the line by ":", since a shell block must not be empty; keep a line that is part of a longer command."""
    found = None if before.endswith(b"\\\n") else SETS_PROXY_ONLY.match(line)
    return found.group("indent") + b":" + found.group("end") if found else line


def helpers(stream):
    kept = {key: value for key, value in check.docker_config(stream).items() if key in check.HELPERS}
    return json.dumps(kept, indent="\t").encode() + b"\n" if kept else b""


def keep_helpers(tree, path):
    if not is_file(path) or not edit(tree, path, helpers):
        remove(tree, path)


def make_empty(tree, path):
    if os.path.lexists(path) and not is_file(path):
        remove(tree, path)
    with folder_of(tree, path) as (folder, name):
        os.close(os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_NOFOLLOW, 0o444, dir_fd=folder))


def is_file(path):
    return stat.S_ISREG(os.lstat(path).st_mode)


def preset(units):
    """Return the text of the preset that keeps Slipway's units and the given ones enabled."""
    return "# Written by slipway.platform.machine_image_seal: the first boot applies presets to all units.\n" + "".join(
        "enable {}\n".format(unit) for unit in [*presets.UNITS, *units]
    )


def preset_is_current(tree, units):
    return files.read_text(tree.resolve(PRESET)) == preset(units)


def write_preset(tree, units):
    files.write_atomically(tree.resolve(PRESET), preset(units), 0o644)
