# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads what systemctl says about units: of a running system by show, of an image in the making by their files."""

import os

from ansible.module_utils.facts.system.chroot import is_chroot

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "MainPID",
    "ActiveEnterTimestampMonotonic",
)
RUNNING = ("active", "reloading")
# Written by docker_access; a change of it takes a restart of the socket too.
SOCKET_DROP_IN = "/etc/systemd/system/docker.socket.d/slipway.conf"
# Has systemctl work on files alone. It would find out by itself in a chroot, but not in one without /proc.
OFFLINE = {"SYSTEMD_OFFLINE": "1"}


def is_booted():
    """Whether this system runs and has systemd; a chroot may see the /run of the machine around it."""
    return os.path.isdir("/run/systemd/system") and not is_chroot()


def show_command(names):
    return ["systemctl", "show", "--property=" + ",".join(PROPERTIES), *names]


def parse_show(text):
    """Map each unit's name to its properties; the blocks are separated by blank lines."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return {block["Id"]: block for block in blocks if "Id" in block}


def of_files(module, names):
    """The units as their files tell, which is all that an image has; none before systemd is installed."""
    systemctl = module.get_bin_path("systemctl")
    if not systemctl:
        return {}
    command = [systemctl, "list-unit-files", "--full", "--no-legend", "--no-pager", *names]
    return parse_list(module.run_command(command, environ_update=OFFLINE)[1])


def parse_list(text):
    """Map each unit's name to those of its properties that list-unit-files tells, under the names of show."""
    rows = [line.split() for line in text.splitlines()]
    return {
        row[0]: {"LoadState": "masked" if row[1].startswith("masked") else "loaded", "UnitFileState": row[1]}
        for row in rows
        if len(row) > 1
    }


def names_where(units, key, values):
    return [name for name, unit in units.items() if unit.get(key) in values]


def masked(units):
    return names_where(units, "LoadState", ("masked",))


def installed(units):
    return names_where(units, "LoadState", ("loaded",))


def is_running(unit):
    return unit.get("ActiveState") in RUNNING


def running(units, names):
    return [name for name in names if is_running(units.get(name, {}))]


def needs_reload(units):
    return bool(names_where(units, "NeedDaemonReload", ("yes",)))


def started_at(unit):
    """Seconds of the monotonic clock at which the unit became active."""
    return int(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6


def to_toggle(units, enabled):
    """The installed units whose enablement differs from the wish; static and generated ones have none."""
    wrong = ("disabled",) if enabled else ("enabled", "enabled-runtime")
    return names_where(units, "UnitFileState", wrong)


def masked_sentence(names):
    listed = " and ".join(sorted(names))
    return "{} {} masked, so docker cannot start: run systemctl unmask {}".format(
        listed, "is" if len(names) == 1 else "are", " ".join(sorted(names))
    )
