# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads memory, swap and file systems, with the names, units and formulas of the CloudWatch agent."""

import fnmatch
import re
from collections import namedtuple

from slipway_agent.metrics import usage

# dimensions: those of this reading only, such as its path.
Reading = namedtuple("Reading", ["name", "unit", "value", "dimensions"])
# device: major and minor number of the file system, the same for all its mounts.
Mount = namedtuple("Mount", ["path", "kind", "device"])

MEMORY = "/proc/meminfo"
# Not the table of this process, whose unit has mounts of its own. But /proc may hide other processes (hidepid).
MOUNTS = "/proc/1/mountinfo"
OWN_MOUNTS = "/proc/self/mountinfo"
ALL = "*"
ESCAPED = re.compile(r"\\([0-7]{3})")


def of_memory(text):
    """Return the readings of memory and swap from the text of /proc/meminfo. Raises KeyError or ValueError."""
    sizes = {
        name: int((rest.split() or [""])[0]) for name, _, rest in (line.partition(":") for line in text.splitlines())
    }
    # Containers and old kernels do not tell all of them.
    spare = sizes["MemFree"] + sum(sizes.get(name, 0) for name in ("Buffers", "Cached", "SReclaimable"))
    swap = sizes.get("SwapTotal", 0)
    return [
        Reading("mem_used_percent", "Percent", percent(sizes["MemTotal"] - spare, sizes["MemTotal"]), {}),
        Reading("swap_used_percent", "Percent", percent(swap - sizes.get("SwapFree", 0), swap), {}),
    ]


def of_file_system(mount, status):
    """Return the usage as df shows it to unprivileged users; status: as os.statvfs returns it.

    Some file systems, such as btrfs, do not count inodes.
    """
    dimensions = {"path": mount.path, "fstype": mount.kind}
    used = status.f_blocks - status.f_bfree
    readings = [Reading("disk_used_percent", "Percent", percent(used, used + status.f_bavail), dimensions)]
    if status.f_files:
        readings.append(Reading("disk_inodes_free", "Count", status.f_ffree, dimensions))
    return readings


def percent(part, whole):
    """Return the percentage; 0 if the whole is 0, as on hosts without swap."""
    return 100.0 * part / whole if whole else 0.0


def mounts(text):
    """Return the mounts by path from the text of mountinfo. A later mount hides an earlier one."""
    found = {}
    # The kernel escapes spaces and line feeds only: a path can have any other separator.
    for line in text.split("\n"):
        of_mount, _, of_file_system = line.partition(" - ")
        fields = of_mount.split(" ")
        if len(fields) >= 5:
            path = ESCAPED.sub(lambda code: chr(int(code.group(1), 8)), fields[4])
            found[path] = Mount(path, of_file_system.split(" ")[0], fields[2])
    return found


def once_each(mounts):
    """Return the first mount of each file system. Others are bind mounts, such as those of docker volumes."""
    devices = [mount.device for mount in mounts]
    return [mount for place, mount in enumerate(mounts) if devices.index(mount.device) == place]


def chosen(found, wanted, ignored):
    """Return the selected mounts, and the requested paths where nothing is mounted."""
    if wanted == [ALL]:
        return once_each([mount for mount in found.values() if not is_ignored(mount.kind, ignored)]), []
    return [found[path] for path in wanted if path in found], [path for path in wanted if path not in found]


def is_ignored(kind, ignored):
    """Return whether a type of file system is one of those to ignore, of which some are patterns such as fuse.*."""
    return any(fnmatch.fnmatchcase(kind, pattern) for pattern in ignored)


def take(wanted, ignored):
    """Return all readings that succeed, and a message for each that was requested and fails."""
    readings, problems = memory()
    there, missing = chosen(mounts(text_of_mounts()), wanted, ignored)
    problems += [
        f"nothing is mounted at {shown(path)}: mount it, or remove it from host_metrics_mounts" for path in missing
    ]
    for mount, status in usage.by_mount(there):
        if isinstance(status, usage.Hung):
            problems.append(hung(mount, status.seconds))
        elif not isinstance(status, OSError):
            readings += of_file_system(mount, status)
        elif wanted != [ALL]:
            problems.append(
                f"{shown(mount.path)} cannot be read ({status.strerror}): make it accessible to all users, or remove "
                "it from host_metrics_mounts"
            )
    return readings, problems


def hung(mount, seconds):
    what = f"{shown(mount.path)} ({mount.kind})"
    if not seconds:
        return what + " was not read, because others do not answer: check those first"
    return (
        f"{what} does not answer within {seconds} s: check what serves it, or add its type to "
        "host_metrics_ignored_file_systems"
    )


def memory():
    try:
        with open(MEMORY, encoding="ascii", errors="replace") as file:
            return of_memory(file.read()), []
    except OSError as error:
        return [], [f"{MEMORY} cannot be read ({error.strerror}): mount /proc with it"]
    except (KeyError, ValueError) as error:
        return [], [f"{MEMORY} lacks what memory is computed from ({error}): check what provides it"]


def text_of_mounts():
    """Return the mounts of this host, or of this process where /proc hides those."""
    for path in (MOUNTS, OWN_MOUNTS):
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                return file.read()
        except OSError:
            pass
    return ""


def shown(path):
    """Return a path as it can be printed, whatever its bytes and this process's locale."""
    return ascii(path)[1:-1]
