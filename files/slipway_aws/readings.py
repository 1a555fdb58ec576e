# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads memory, swap and file systems, under the names, in the units and by the formulas of the CloudWatch agent."""

import os
import re
from collections import namedtuple

# dimensions: those of the reading alone, such as its path.
Reading = namedtuple("Reading", ["name", "unit", "value", "dimensions"])
# device: the major and minor number that the kernel gives the file system, whatever of it is mounted.
Mount = namedtuple("Mount", ["path", "kind", "device"])

MEMORY = "/proc/meminfo"
# Not this process' own table: its unit has mounts that are no file systems of the host.
MOUNTS = "/proc/1/mountinfo"
ALL = "*"
ESCAPED = re.compile(r"\\([0-7]{3})")


def of_memory(text):
    """Memory and swap, from the text of /proc/meminfo."""
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in text.splitlines())}
    spare = sum(sizes[name] for name in ("MemFree", "Buffers", "Cached", "SReclaimable"))
    return [
        Reading("mem_used_percent", "Percent", percent(sizes["MemTotal"] - spare, sizes["MemTotal"]), {}),
        Reading(
            "swap_used_percent", "Percent", percent(sizes["SwapTotal"] - sizes["SwapFree"], sizes["SwapTotal"]), {}
        ),
    ]


def of_file_system(mount):
    """How full it is for those who are not root, as df tells it. Some, such as btrfs, have no inodes to count."""
    status = os.statvfs(mount.path)
    dimensions = {"path": mount.path, "fstype": mount.kind}
    used = status.f_blocks - status.f_bfree
    readings = [Reading("disk_used_percent", "Percent", percent(used, used + status.f_bavail), dimensions)]
    if status.f_files:
        readings.append(Reading("disk_inodes_free", "Count", status.f_ffree, dimensions))
    return readings


def percent(part, whole):
    """A share; none of nothing, such as of a swap that is not there."""
    return 100.0 * part / whole if whole else 0.0


def mounts(text):
    """The mounts by path, from the text of mountinfo; a later one covers an earlier one."""
    found = {}
    for line in text.splitlines():
        of_mount, _, of_file_system = line.partition(" - ")
        _, _, device, _, path = of_mount.split()[:5]
        path = ESCAPED.sub(lambda code: chr(int(code.group(1), 8)), path)
        found[path] = Mount(path, of_file_system.split()[0], device)
    return found


def once_each(mounts):
    """Of each file system the mount that came first: bind mounts, such as those of docker's volumes, show it again."""
    devices = [mount.device for mount in mounts]
    return [mount for place, mount in enumerate(mounts) if devices.index(mount.device) == place]


def chosen(found, wanted, ignored):
    """The mounts that are wanted, and the wanted paths where nothing is mounted."""
    if wanted == [ALL]:
        return once_each([mount for mount in found.values() if mount.kind not in ignored]), []
    return [found[path] for path in wanted if path in found], [path for path in wanted if path not in found]


def take(wanted, ignored):
    """All readings that can be had, and a sentence for each mount that is named and cannot be read."""
    with open(MEMORY, encoding="ascii") as file:
        readings = of_memory(file.read())
    with open(MOUNTS, encoding="utf-8", errors="replace") as file:
        there, missing = chosen(mounts(file.read()), wanted, ignored)
    problems = [f"nothing is mounted at {path}: mount it, or take it out of host_metrics_mounts" for path in missing]
    for mount in there:
        try:
            readings += of_file_system(mount)
        except OSError as error:
            if wanted != [ALL]:
                problems.append(
                    f"{mount.path} cannot be read ({error.strerror}): let everybody reach it, or take it out of "
                    "host_metrics_mounts"
                )
    return readings, problems
