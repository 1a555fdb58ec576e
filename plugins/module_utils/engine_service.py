# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Brings the engine's units to a state, proves that its API answers, and goes back when it does not."""

import time

from ansible_collections.slipway.platform.plugins.module_utils import (
    daemon_log,
    daemon_options,
    engine_api,
    engine_move,
    engine_shutdown,
    rollback,
    systemd_units,
)
from ansible_collections.slipway.platform.plugins.module_utils.engine_units import (
    RELOAD_SECONDS,
    SERVICE,
    Docker,
    ServiceError,
)
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

SHOWN_LINES = 8
EXPECTED = {
    "started": "active",
    "current": "active",
    "restarted": "active, restarted",
    "stopped": "inactive",
    "drained": "inactive, no container",
}


def refuse_unusable(docker):
    """Fail where there is no such service to manage."""
    if not docker.units:
        docker.module.fail_json(msg="systemctl does not answer: this host does not run systemd. Nothing was changed.")
    if SERVICE not in systemd_units.installed(docker.units):
        docker.module.fail_json(
            msg=f"{SERVICE} does not exist: install the engine's package first. Nothing was changed."
        )


def is_restart_pending(docker):
    """Whether the running engine is older than its configuration; a record that it has outlived is dropped."""
    record = rollback.load()
    if record and not rollback.is_newer_than(record, systemd_units.started_at(docker.unit)):
        if not docker.module.check_mode:
            rollback.clear()
        record = None
    return bool(record) or systemd_units.needs_reload(docker.units) or docker.runs_replaced_program()


def protect_containers(docker):
    """Make a newly set live-restore effective before the engine stops; older settings come with the restart."""
    wanted = daemon_options.parse(read_text(docker.module.params["path"])).get("live-restore")
    if wanted and docker.is_running and not docker.has_live_restore():
        docker.systemctl("reload", SERVICE)
        engine_api.wait_until(docker.has_live_restore, RELOAD_SECONDS)


def apply(docker, verb):
    """Start or restart; on failure go back to the recorded files, and fail in either case."""
    was_running = docker.is_running
    began = f"@{int(time.time())}"
    try:
        # Unasked: systemd does not see by itself (NeedDaemonReload) that a unit has got its first drop-in.
        if not docker.reloaded:
            docker.systemctl("daemon-reload")
        if engine_move.is_due(docker):
            engine_shutdown.stop_with_containers(docker)
        elif verb == "restart":
            protect_containers(docker)
        docker.bring_up(verb)
    except ServiceError as error:
        give_up(docker, error, docker.journal(began), was_running)
    rollback.clear()


def give_up(docker, error, journal, was_running):
    reason = daemon_log.reason(journal) or str(error)
    record = rollback.load()
    if record is None:
        msg = f"{SERVICE} did not come up: {reason}."
    else:
        rollback.restore(record)
        msg = f"{SERVICE} did not start with the new configuration: {reason}. {go_back(docker, was_running)}"
        rollback.clear()
    lines = "\n".join(journal[-SHOWN_LINES:])
    docker.module.fail_json(msg=f"{msg} Journal:\n{lines}", journal=journal, systemctl=str(error))


def go_back(docker, was_running):
    """Run with the restored files if the engine ran before; the sentence tells how that went."""
    try:
        docker.systemctl("daemon-reload")
        if not was_running:
            docker.systemctl("stop", SERVICE)
            return "The previous configuration is back; the engine was not running before and is stopped."
        docker.bring_up("restart")
    except ServiceError as error:
        return f"The previous configuration is back, but the engine does not come up with it either: {error}."
    return "The previous configuration is back and the engine answers again."


def reach(docker, state):
    """Bring the service to the state; whether that takes a change."""
    dry = docker.module.check_mode
    if state in engine_shutdown.STOP:
        if engine_shutdown.is_stopped(docker, state):
            return False
        if not dry:
            engine_shutdown.STOP[state](docker)
        return True
    outdated = state == "current" and is_restart_pending(docker)
    if state == "restarted" or outdated or not docker.is_running:
        if not dry:
            apply(docker, "restart" if docker.is_running else "start")
        return True
    if not dry:
        docker.prove_api()
    return False


def toggle(docker, enabled):
    """Enable or disable the units that differ; whether there were any."""
    names = [] if enabled is None else systemd_units.to_toggle(docker.units, enabled)
    if names and not docker.module.check_mode:
        docker.systemctl("enable" if enabled else "disable", *names)
        docker.reloaded = True  # systemctl enable and disable do it
    return bool(names)


def describe(docker):
    version = engine_api.get_json(docker.api, "/version") if docker.is_running else {}
    return {
        "state": docker.unit.get("ActiveState", "unknown"),
        "pid": int(docker.unit.get("MainPID") or 0),
        "api_version": version.get("ApiVersion", ""),
        "engine_version": version.get("Version", ""),
    }


def refuse_masked(docker):
    masked = systemd_units.masked(docker.units)
    if masked:
        docker.module.fail_json(msg=systemd_units.masked_sentence(masked) + ". Nothing was changed.")


def difference(before, state, files):
    return [*files, {"before": f"state: {before}\n", "after": f"state: {EXPECTED[state]}\n"}]


def run(module, configure):
    """Configure the engine and bring it to the wanted state.

    configure() is called when nothing speaks against it; it returns a result, and whether that takes a restart.
    """
    state, enabled = module.params["state"], module.params["enabled"]
    docker = Docker(module).look()
    refuse_masked(docker)
    if module.check_mode and SERVICE not in systemd_units.installed(docker.units):
        # A dry run before the packages are there: everything is still to be done.
        result, _ = configure()
        result.update(changed=True, restart_pending=False, before="absent")
        result["diff"] = difference("absent", state, result.get("diff", []))
        return result
    refuse_unusable(docker)
    result, needs_restart = configure()
    before = docker.unit["ActiveState"]
    older = state == "started" and docker.is_running
    pending = older and (needs_restart or is_restart_pending(docker))
    toggled = toggle(docker, enabled)
    reached = reach(docker, state)
    changed = result["changed"] or toggled or reached or pending
    if changed:
        docker.look()
    result.update(describe(docker), changed=changed, restart_pending=pending, before=before)
    result["diff"] = difference(before, state, result.get("diff", []))
    return result
