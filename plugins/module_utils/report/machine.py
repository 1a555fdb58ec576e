# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Facts about the machine: its system, a pending reboot, the room on its disks."""

import glob
import os
import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, data_root
from ansible_collections.slipway.platform.plugins.module_utils.host import os_release
from ansible_collections.slipway.platform.plugins.module_utils.host.files import nearest_existing_parent, read_text
from ansible_collections.slipway.platform.plugins.module_utils.report.bounded import UnansweredError, output_of

# Packages whose update needs a reboot: the list of dnf needs-restarting --reboothint.
CORE = (
    "dbus-broker",
    "dbus-daemon",
    "glibc",
    "kernel",
    "kernel-core",
    "kernel-rt",
    "linux-firmware",
    "openssl-libs",
    "systemd",
)
KERNELS = ("kernel", "kernel-core", "kernel-rt")
# %{INSTALLTIME} is in seconds since 1970.
QUERY_FORMAT = "%{NAME}\t%{INSTALLTIME}\t%{VERSION}-%{RELEASE}.%{ARCH}\n"


def system(deadline, options):
    """Return the distribution's name and the kernel."""
    release = os_release.read()
    return {
        "distribution": release.get("PRETTY_NAME", release.get("ID", "unknown")),
        "kernel": os.uname().release,
    }


def booted_at(stat=None, processes=None):
    """Return when process 1 began, in seconds since 1970: that of a container begins after its kernel's boot."""
    text = read_text("/proc/stat") if stat is None else stat
    found = re.search(r"^btime ([0-9]+)$", text or "", re.MULTILINE)
    if not found:
        raise UnansweredError("/proc/stat does not tell when the system was booted")
    # After the name in brackets, which may hold blanks, the 20th field is the start in ticks (proc(5)).
    fields = (processes or read_text("/proc/1/stat") or "").rpartition(")")[2].split()
    ticks = int(fields[19]) if len(fields) > 19 else 0
    return int(found.group(1)) + ticks / os.sysconf("SC_CLK_TCK")


def reboot(deadline, options):
    """Return the running and the newest installed kernel, and core packages that are newer than the boot."""
    # rpm's status is the number of those that are not installed.
    output = output_of(["rpm", "--query", "--queryformat", QUERY_FORMAT, *CORE], deadline, any_status=True)
    return judge_packages(output, booted_at(), os.uname().release)


def judge_packages(output, booted, running):
    rows = [line.split("\t") for line in output.splitlines()]
    rows = [(row[0], int(row[1]), row[2]) for row in rows if len(row) == 3 and row[1].isdigit()]
    kernels = sorted((installed, version) for name, installed, version in rows if name in KERNELS)
    newest = kernels[-1][1] if kernels else ""
    later = sorted({name for name, installed, _ in rows if installed > booted})
    return {"running": running, "newest": newest, "updated": later}


def disks(deadline, options):
    """Return the room of each file system that the engine writes to, and whether its images are there."""
    root = data_root.from_daemon_json(read_text(daemon_json.PATH))
    engine = (root, data_root.containerd_root(root))
    wanted = ("/", "/boot", "/tmp", "/var", "/var/log", *engine)
    found = {}  # type: dict[int, dict[str, object]]
    for path in wanted:
        place = nearest_existing_parent(path)
        device = os.stat(place).st_dev
        if device not in found:
            status = os.statvfs(place)
            found[device] = {
                "path": place,
                # Without what is reserved for root, as df counts.
                "bytes": (status.f_blocks - status.f_bfree + status.f_bavail) * status.f_frsize,
                "free": status.f_bavail * status.f_frsize,
                "inodes": status.f_files - status.f_ffree + status.f_favail,
                "free_inodes": status.f_favail,
                "engine": False,
            }
        found[device]["engine"] = found[device]["engine"] or path in engine
    return sorted(found.values(), key=lambda entry: str(entry["path"]))


def last_run(deadline, options):
    """Return when a module of this collection last ran here, in seconds since 1970 by the journal; None if never.

    Dry runs count: the journal does not tell them apart.
    """
    if not glob.glob("/run/log/journal/*/*") and not glob.glob("/var/log/journal/*/*"):
        raise UnansweredError("the host keeps no journal")
    command = ["journalctl", "--quiet", "--no-pager", "--reverse", "--lines=1", "--output=short-unix"]
    # Of root, since every user may log by this name.
    output = output_of([*command, "SYSLOG_IDENTIFIER=ansible-slipway.platform.docker_daemon", "_UID=0"], deadline)
    found = re.match(r"([0-9]+)\.", output)
    return int(found.group(1)) if found else None
