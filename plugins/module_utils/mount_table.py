# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads /proc/self/mountinfo: what is mounted where, and which mount holds a path."""

import collections
import re

from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

# The root is the folder of the file system that is seen at the point, the source its device or another name of it.
Mount = collections.namedtuple("Mount", "point kind options root source")
ESCAPED = re.compile(r"\\([0-7]{3})")


def parse(text):
    """The mounts, in their order; the kernel writes white space in a path as octal numbers."""
    return [parse_line(line) for line in text.splitlines()]


def parse_line(line):
    of_mount, _, of_file_system = line.partition(" - ")
    fields = of_mount.split()
    kind, source, super_options = of_file_system.split(" ", 2)
    options = set(fields[5].split(",")) | set(super_options.split(","))
    return Mount(unescaped(fields[4]), kind, options, unescaped(fields[3]), source)


def unescaped(path):
    return ESCAPED.sub(lambda found: chr(int(found.group(1), 8)), path)


def current():
    """The mounts of this process; none in a chroot without /proc."""
    return parse(read_text("/proc/self/mountinfo") or "")


def holding(path, mounts):
    """The mount that holds the path, which is without symbolic links; a later mount covers an earlier one.

    None in a chroot, unless something is mounted there: what is around it is not told.
    """
    above = [mount for mount in mounts if (path + "/").startswith(mount.point.rstrip("/") + "/")]
    return max(enumerate(above), key=lambda item: (len(item[1].point), item[0]), default=(0, None))[1]
