# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Parse /proc/self/mountinfo, and find the mount that a path is on."""

import collections
import re

from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

# point: where it is mounted; root: the directory of the file system that is mounted there; source: a device, usually.
Mount = collections.namedtuple("Mount", "point kind options root source")
ESCAPED = re.compile(r"\\([0-7]{3})")


def parse(text):
    """Return the mounts in order.

    The kernel escapes spaces, tabs and line feeds in paths as octal numbers, and no other separator that Python knows.
    """
    return [parse_line(line) for line in text.split("\n") if line]


def parse_line(line):
    of_mount, _, of_file_system = line.partition(" - ")
    fields = of_mount.split(" ")
    kind, source, super_options = of_file_system.split(" ", 2)
    options = set(fields[5].split(",")) | set(super_options.split(","))
    return Mount(unescaped(fields[4]), kind, options, unescaped(fields[3]), source)


def unescaped(path):
    return ESCAPED.sub(lambda found: chr(int(found.group(1), 8)), path)


def current():
    """Return the mounts of this process; none in a chroot without /proc."""
    return parse(read_text("/proc/self/mountinfo") or "")


def holding(path, mounts):
    """Return the mount that a path without symbolic links is on; a later mount hides an earlier one at the same point.

    None in a chroot that is not itself a mount point: mountinfo does not list the mounts outside.
    """
    above = [mount for mount in mounts if (path + "/").startswith(mount.point.rstrip("/") + "/")]
    return max(enumerate(above), key=lambda item: (len(item[1].point), item[0]), default=(0, None))[1]
