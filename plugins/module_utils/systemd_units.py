# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads what systemctl show says about units."""

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


def show_command(names):
    return ["systemctl", "show", "--property=" + ",".join(PROPERTIES), *names]


def parse_show(text):
    """Map each unit's name to its properties; the blocks are separated by blank lines."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return {block["Id"]: block for block in blocks if "Id" in block}


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
