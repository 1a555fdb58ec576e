# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Keeps a systemd timer that prunes what the engine no longer needs. The engine is not restarted for it."""

import collections
import os

from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_config,
    file_io,
    prune_options,
    systemd_quoting,
    systemd_units,
)

SERVICE, TIMER = "docker-prune.service", "docker-prune.timer"
DIRECTORY = "/etc/systemd/system"

# A stopped engine stays stopped (Requisite). The client needs the socket and nothing else of the host.
SERVICE_TEXT = """[Unit]
Description=Remove what the Docker engine no longer needs
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
Description=Remove what the Docker engine no longer needs

[Timer]
OnCalendar={schedule}
# What was missed is made good, and not by all hosts at the same moment.
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
    """Path and text of both units, without text where they are not wanted."""
    texts = {SERVICE: None, TIMER: None}
    if options:
        texts = {
            SERVICE: daemon_config.HEADER + SERVICE_TEXT.format(command=command(options)),
            TIMER: daemon_config.HEADER + TIMER_TEXT.format(schedule=options["schedule"]),
        }
    return [(os.path.join(DIRECTORY, name), text) for name, text in sorted(texts.items())]


def plan(module, prune):
    """What is to be done; fails before anything is. Without prune the timer is left as it is."""
    if prune is None:
        return NOTHING
    options = prune_options.given(prune)
    problems = prune_options.problems(options)
    if problems:
        raise daemon_config.DaemonConfigError("; ".join(problems))
    files = [item for item in units(options) if item[1] or is_ours(item[0])]
    changes = [(path, text, 0o644) for path, text in files if not file_io.is_as_wanted(path, text, 0o644)]
    if options and changes:
        refuse_foreign(files)
        refuse_schedule(module, options["schedule"])
    return Plan(bool(options), changes, bool(options) and not is_on(module))


def is_ours(path):
    return (file_io.read_text(path) or "").startswith(daemon_config.HEADER)


def is_on(module):
    baking = module.params["baking"]
    if baking:
        units = systemd_units.of_files(module, [TIMER])
    else:
        units = systemd_units.parse_show(module.run_command(systemd_units.show_command([TIMER]))[1])
    timer = units.get(TIMER, {})
    return timer.get("UnitFileState") == "enabled" and (baking or systemd_units.is_running(timer))


def refuse_foreign(files):
    for path, _ in files:
        if os.path.lexists(path) and not is_ours(path):
            raise daemon_config.DaemonConfigError(
                f"{path} was written by somebody else: remove it, or leave docker_engine_prune empty"
            )


def refuse_schedule(module, schedule):
    code, _, errors = module.run_command(["systemd-analyze", "calendar", "--", schedule])
    if code:
        raise daemon_config.DaemonConfigError(
            "{}schedule '{}' is not a calendar expression of systemd ({}): write it like weekly or Sun 03:30".format(
                prune_options.PREFIX, schedule, " ".join(errors.split())
            )
        )


def carry_out(module, planned):
    """Bring the units into place and the timer to its state; whether that took a change."""
    if not (planned.changes or planned.wrong_state):
        return False
    if not module.check_mode:
        if not planned.wanted:
            names = [os.path.basename(path) for path, _, _ in planned.changes]
            systemctl(module, "disable", *names)
            systemctl(module, "stop", *names)
        file_io.put_all(planned.changes)
        systemctl(module, "daemon-reload")
        if planned.wanted:
            systemctl(module, "enable", TIMER)
            systemctl(module, "restart", TIMER)  # a new schedule takes effect
    return True


def systemctl(module, *arguments):
    """Run systemctl, which leaves out while baking whatever concerns more than files."""
    environment = systemd_units.OFFLINE if module.params["baking"] else None
    module.run_command(["systemctl", *arguments], check_rc=True, environ_update=environment)
