# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The systemd timer for docker system prune; changes do not restart the engine."""

import collections
import os

from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.engine import prune_options
from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd, systemd_quoting

SERVICE, TIMER = "docker-prune.service", "docker-prune.timer"
DIRECTORY = "/etc/systemd/system"

# Requisite does not start a stopped engine. The client needs only the socket.
SERVICE_TEXT = """[Unit]
Description=Prune unused Docker data
Documentation=https://docs.docker.com/reference/cli/docker/system/prune/
Requisite=docker.service
After=docker.service

[Service]
Type=oneshot
ExecStart={command}
Environment=DOCKER_CONFIG=/nonexistent
CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
SystemCallArchitectures=native
"""
TIMER_TEXT = """[Unit]
Description=Prune unused Docker data

[Timer]
OnCalendar={schedule}
# Run missed prunes, and not on all hosts at the same moment.
Persistent=true
RandomizedDelaySec=15min

[Install]
WantedBy=timers.target
"""
Plan = collections.namedtuple("Plan", "wanted changes wrong_state")
NOTHING = Plan(False, [], False)


def command(options):
    words = ["/usr/bin/docker", "system", "prune", "--force"]
    words += ["--" + name for name in ("all", "volumes") if options.get(name)]
    words += ["--filter=" + item for item in prune_options.filters(options)]
    return " ".join(systemd_quoting.word(word) for word in words)


def units(options):
    """Return (path, text) of both units; text is None if pruning is off."""
    texts = {SERVICE: None, TIMER: None}
    if options:
        texts = {
            SERVICE: daemon_config.HEADER + SERVICE_TEXT.format(command=command(options)),
            TIMER: daemon_config.HEADER + TIMER_TEXT.format(schedule=options["schedule"]),
        }
    return [(os.path.join(DIRECTORY, name), text) for name, text in sorted(texts.items())]


def plan(module, prune):
    """Return a Plan; without prune, the timer is left unchanged. Raises DaemonConfigError."""
    if prune is None:
        return NOTHING
    options = prune_options.given(prune)
    problems = prune_options.problems(options)
    if problems:
        raise daemon_config.DaemonConfigError("; ".join(problems))
    files = [item for item in units(options) if item[1] or is_ours(item[0])]
    changes = [(path, text, 0o644) for path, text in files if not host_files.is_up_to_date(path, text, 0o644)]
    if options and changes:
        refuse_foreign(files)
        refuse_schedule(module, options["schedule"])
    return Plan(bool(options), changes, bool(options) and not is_enabled(module))


def is_ours(path):
    return (host_files.read_text(path) or "").startswith(daemon_config.HEADER)


def is_enabled(module):
    baking = module.params["baking"]
    if baking:
        units = systemd.list_unit_files(module, [TIMER])
    else:
        units = systemd.parse_show(module.run_command(systemd.show_command([TIMER]))[1])
    timer = units.get(TIMER, {})
    return timer.get("UnitFileState") == "enabled" and (baking or systemd.is_running(timer))


def refuse_foreign(files):
    for path, _ in files:
        if os.path.lexists(path) and not is_ours(path):
            raise daemon_config.DaemonConfigError(
                f"{path} was not written by this collection: remove it, or leave docker_engine_prune empty"
            )


def refuse_schedule(module, schedule):
    code, _, errors = module.run_command(["systemd-analyze", "calendar", "--", schedule])
    if code:
        raise daemon_config.DaemonConfigError(
            "{}schedule '{}' is not a systemd calendar expression ({}): use one such as weekly or Sun 03:30".format(
                prune_options.PREFIX, schedule, " ".join(errors.split())
            )
        )


def carry_out(module, planned):
    """Write or remove the units and set the state of the timer; return whether anything changes."""
    if not (planned.changes or planned.wrong_state):
        return False
    if not module.check_mode:
        if not planned.wanted:
            names = [os.path.basename(path) for path, _, _ in planned.changes]
            systemctl(module, "disable", *names)
            systemctl(module, "stop", *names)
        host_files.put_all(planned.changes)
        systemctl(module, "daemon-reload")
        if planned.wanted:
            systemctl(module, "enable", TIMER)
            systemctl(module, "restart", TIMER)  # applies a new schedule
    return True


def systemctl(module, *arguments):
    """Run systemctl; while baking, it only changes files."""
    environment = systemd.OFFLINE if module.params["baking"] else None
    module.run_command(["systemctl", *arguments], check_rc=True, environ_update=environment)
