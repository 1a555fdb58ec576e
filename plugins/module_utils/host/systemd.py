# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Query the state of units: from systemd where it runs, from unit files in an image that is being built."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.host.chroot import is_chroot

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "MainPID",
    "ActiveEnterTimestampMonotonic",
    "SocketGroup",
)
RUNNING = ("active", "reloading")
# Written by docker_access; changing it requires a restart of the socket too.
SOCKET_DROP_IN = "/etc/systemd/system/docker.socket.d/slipway.conf"
# Makes systemctl work on files only; it detects a chroot by itself, but not one without /proc.
OFFLINE = {"SYSTEMD_OFFLINE": "1"}


def is_booted():
    """Return whether systemd runs this system; a chroot may see the /run of its host."""
    return os.path.isdir("/run/systemd/system") and not is_chroot()


def show_command(names):
    return ["systemctl", "show", "--property=" + ",".join(PROPERTIES), *names]


def parse_show(text):
    """Map each unit's name to its properties, from the output of systemctl show."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return {block["Id"]: block for block in blocks if "Id" in block}


def list_unit_files(module, names):
    """Map each unit's name to its properties according to unit files, all that an image has; {} without systemctl."""
    systemctl = module.get_bin_path("systemctl")
    if not systemctl:
        return {}
    command = [systemctl, "list-unit-files", "--full", "--no-legend", "--no-pager", *names]
    return parse_list(module.run_command(command, environ_update=OFFLINE)[1])


def parse_list(text):
    """Map each unit's name to the properties in the output of list-unit-files, named as in systemctl show."""
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
    """Return when the unit became active, in seconds of the monotonic clock."""
    return int(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6


def to_toggle(units, enabled):
    """Return the installed units to enable or disable; static and generated ones are left out."""
    wrong = ("disabled",) if enabled else ("enabled", "enabled-runtime")
    return names_where(units, "UnitFileState", wrong)


def masked_message(names):
    listed = " and ".join(sorted(names))
    # While a socket unit is masked, systemd closes what it listens on, and a running engine can no longer be restarted.
    reopen = ", and where docker runs, systemctl restart docker.socket docker.service"
    return "{} {} masked, so docker cannot start: run systemctl unmask {}{}".format(
        listed, "is" if len(names) == 1 else "are", " ".join(sorted(names)), reopen if "docker.socket" in names else ""
    )
