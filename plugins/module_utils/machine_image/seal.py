# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Removes from a root file system what the checker finds of the list."""

import contextlib
import errno
import json
import os
import re
import stat

from ansible_collections.slipway.platform.plugins.module_utils import file_io, mount_table

from . import artefacts, check, presets
from .tree import TreeError

PRESET = "etc/systemd/system-preset/10-docker.preset"
# Where a container's engine keeps what it makes for that container alone: /etc/hostname and such, and unnamed volumes.
OF_A_CONTAINER = re.compile(r"/(?:containers|sandboxes)/(?:.*/)?[0-9a-f]{64}/|/volumes/[0-9a-f]{64}/_data$")
# A line of a shell that does nothing but set proxies, and export them.
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
    """The image cannot be sealed; the text is the sentence for the user."""


def refuse_read_only(tree):
    if os.statvfs(tree.root).f_flag & os.ST_RDONLY:
        raise TreeError("{} is mounted read-only: mount it writable (mount -o remount,rw)".format(tree.root))


def refuse_mounted(tree, violations):
    """Refuse to lose what is only mounted in the image: a cache of the machine that bakes, a home of the network."""
    mounts = mount_table.current()
    if mounts:
        touched = [mount for violation in violations for mount in at_or_below(violation.path, mounts)]
        foreign = {mount.point for mount in touched if not is_of_the_image(mount, tree.root)}
        remedy = "unmount it, and run again"
    else:
        foreign = {os.path.dirname(violation.path) for violation in violations if is_of_another_mount(tree, violation)}
        remedy = "unmount it, or mount /proc too, which tells whether it is a partition of the image"
    if foreign:
        listed = ", ".join(sorted(tree.inside(point) for point in foreign))
        raise TreeError("What is mounted at {} is not in the image, and would be lost: {}".format(listed, remedy))


def at_or_below(path, mounts):
    """The mount that holds the path, if it is known, and those in it if it is a folder."""
    holder = mount_table.holding(path, mounts)
    return [holder] * bool(holder) + [mount for mount in mounts if mount.point.startswith(path + "/")]


def refuse_longer_commands(tree, violations):
    """Refuse a proxy that cannot be cut out of a shell's file without harm to the rest."""
    for violation in violations:
        if violation.artefact.rule == artefacts.NO_PROXY_IN_SHELL:
            with open(violation.path, "rb") as stream:
                lines = without_proxy_in_shell(stream).splitlines()
            left = [number for number, line in enumerate(lines, 1) if check.PROXY_IN_SHELL.match(line)]
            if left:
                place = "{}, line {}".format(tree.inside(violation.path), left[0])
                raise TreeError(place + " sets a proxy as part of a longer command: take it out by hand, and run again")


def is_of_the_image(mount, root):
    """Whether it is a partition, or what the root is on; or lasts no longer than the system or its container anyway."""
    if (root + "/").startswith(mount.point.rstrip("/") + "/") or OF_A_CONTAINER.search(mount.root):
        return True
    is_whole = mount.root == "/" or "subvol=" + mount.root in mount.options
    return is_whole and (mount.source.startswith("/dev/") or mount.kind == "tmpfs")


def is_of_another_mount(tree, violation):
    """As a chroot without /proc can tell: a dot is never renamed, and between mounts it is refused for that reason."""
    try:
        os.rename(os.path.join(tree.root, "."), os.path.join(os.path.dirname(violation.path), "."))
    except OSError as error:
        return error.errno == errno.EXDEV
    return False


def amend(tree, violation):
    """Make the file what the list asks for."""
    rule, path = violation.artefact.rule, violation.path
    try:
        if rule == artefacts.NO_PROXY:
            edit(tree, path, without_proxy)
        elif rule == artefacts.NO_PROXY_IN_SHELL:
            edit(tree, path, without_proxy_in_shell)
        elif rule == artefacts.HELPERS_ONLY:
            keep_helpers(tree, path)
        elif rule == artefacts.EMPTY:
            edit(tree, path, nothing)
        elif rule == artefacts.EMPTY_FILE:
            make_empty(tree, path)
        else:
            remove(tree, path)
    except FileNotFoundError:
        return  # it went with another, or by itself
    except OSError as error:
        reason = error.strerror or error
        raise SealError("{} cannot be sealed: {}. Mend that, and run again".format(path, reason)) from error


@contextlib.contextmanager
def folder_of(tree, path):
    """Open the folder of a file, and give the file's name in it.

    Between the listing and now a user can have put a link where a folder was: it is not followed, and the seal fails.
    """
    *folders, name = os.path.relpath(path, tree.root).split("/")
    descriptor = os.open(tree.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor, name
    finally:
        os.close(descriptor)


def remove(tree, path):
    """Remove a file, or a folder with all that is in it."""
    for found in [path, *tree.walk(path)][::-1]:
        with folder_of(tree, found) as (folder, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)


def edit(tree, path, change):
    """In place: whoever has the file open writes into the same one, and its owner, mode and label stay."""
    with folder_of(tree, path) as (folder, name):
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with open(descriptor, "r+b") as stream:
        content = change(stream)
        stream.seek(0)
        stream.truncate()
        stream.write(content)
    return content


def nothing(_):
    return b""


def without_proxy(stream):
    return b"".join(line for line in stream if not check.PROXY_LINE.match(line))


def without_proxy_in_shell(stream):
    kept, before = [], b""
    for line in stream:
        kept.append(without_proxy_in_command(line, before))
        before = line
    return b"".join(kept)


def without_proxy_in_command(line, before):
    """Nothing is done instead, since no block of a shell may be empty; a line of a longer command stays as it is."""
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
    """The text of the preset that keeps Slipway's units and these enabled."""
    return "# Written by slipway.platform.image_seal: a first boot sets every unit to its preset.\n" + "".join(
        "enable {}\n".format(unit) for unit in [*presets.UNITS, *units]
    )


def preset_is_as_wanted(tree, units):
    return file_io.read_text(tree.resolve(PRESET)) == preset(units)


def write_preset(tree, units):
    file_io.write_atomically(tree.resolve(PRESET), preset(units), 0o644)
