# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""State of the engine's units: applies it, checks that the API answers, and rolls back on failure."""

import time

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, engine_api
from ansible_collections.slipway.platform.plugins.module_utils.daemon import log as daemon_log
from ansible_collections.slipway.platform.plugins.module_utils.engine import data_move, shutdown
from ansible_collections.slipway.platform.plugins.module_utils.engine.units import (
    CONTAINERD,
    RELOAD_SECONDS,
    SERVICE,
    SOCKET,
    Docker,
    NotReadyError,
    ServiceError,
)
from ansible_collections.slipway.platform.plugins.module_utils.host import rollback, systemd
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

SHOWN_LINES = 8
EXPECTED = {
    "started": "active",
    "current": "active",
    "restarted": "active, restarted",
    "stopped": "inactive",
    "drained": "inactive, no container",
}


def refuse_unusable(docker):
    """Fail the module if there is no service to manage."""
    if not docker.units:
        docker.module.fail_json(
            msg="systemctl cannot list units: this module needs a host that runs systemd. Nothing was changed."
        )
    if SERVICE not in systemd.installed(docker.units):
        docker.module.fail_json(
            msg=f"{SERVICE} does not exist: install the engine's package first. Nothing was changed."
        )


def is_restart_pending(docker):
    """Whether the running engine started before its configuration changed; drop an outdated rollback record."""
    record = rollback.load()
    if record and not rollback.is_newer_than(record, systemd.started_at(docker.unit)):
        if not docker.module.check_mode:
            rollback.clear()
        record = None
    return bool(record) or systemd.needs_reload(docker.units) or docker.runs_replaced_program()


def enable_live_restore(docker):
    """Apply a newly set live-restore by a reload, so that containers survive the restart."""
    wanted = daemon_json.parse(read_text(docker.module.params["path"])).get("live-restore")
    if wanted and docker.is_running and not docker.has_live_restore():
        docker.systemctl("reload", SERVICE)
        engine_api.wait_until(docker.has_live_restore, RELOAD_SECONDS)


def apply(docker, verb):
    """Start or restart the engine; on failure, restore the recorded files and fail the module."""
    was_running = docker.is_running
    since = f"@{time.time():.6f}"
    try:
        # Unconditionally: NeedDaemonReload is not set for a unit's first drop-in.
        if not docker.reloaded:
            docker.systemctl("daemon-reload")
        if data_move.is_pending(docker):
            shutdown.stop_with_containers(docker)
        elif verb == "restart":
            enable_live_restore(docker)
        docker.bring_up(verb)
    except ServiceError as error:
        docker.refresh()
        reason, journal = last_words(docker, since)
        fail(docker, error, reason, journal, was_running)
    rollback.clear()


def last_words(docker, since):
    """Return the reason of the failure, or None, and the log of the unit that has it.

    containerd's matters only if it is down, and comes first then, because dockerd cannot start without it.
    """
    down = [] if systemd.running(docker.units, (CONTAINERD,)) else [CONTAINERD]
    logs = [docker.journal(name, since) for name in (*down, SERVICE, SOCKET)]
    return next(
        ((daemon_log.reason(lines), lines) for lines in logs if daemon_log.reason(lines)),
        (None, [line for lines in logs for line in lines]),
    )


def refuse_to_judge(docker, error, journal):
    """Fail the module without a rollback if a unit is still starting: a restart would only delay it."""
    starting = [
        name for name in (CONTAINERD, SERVICE) if docker.units.get(name, {}).get("SubState", "").startswith("start")
    ]
    if isinstance(error, NotReadyError) and starting:
        docker.module.fail_json(
            msg="{0} is still starting: {1}. The last line of its log is: {2}. The configuration stays in place, and "
            "whether it works is unknown: run again when systemctl is-active {0} says active, and raise "
            "docker_engine_start_timeout.".format(starting[0], error, "".join(journal[-1:])),
            journal=journal,
            systemctl=str(error),
        )


def fail(docker, error, reason, journal, was_running):
    refuse_to_judge(docker, error, journal)
    reason = reason or str(error)
    record = rollback.load()
    if record is None:
        msg = f"{SERVICE} did not start: {reason}."
    else:
        rollback.restore(record["files"])
        msg = f"{SERVICE} did not start with the new configuration: {reason}. {roll_back(docker, was_running)}"
        rollback.clear()
    lines = "\n".join(journal[-SHOWN_LINES:])
    docker.module.fail_json(msg=f"{msg} Journal:\n{lines}", journal=journal, systemctl=str(error))


def roll_back(docker, was_running):
    """Restart with the restored files if the engine was running before; return a sentence about the result."""
    if not was_running:
        return stop_again(docker)
    try:
        docker.systemctl("daemon-reload")
        docker.bring_up("restart")
    except NotReadyError as error:
        return f"The previous configuration was restored, and the engine is still starting with it: {error}."
    except ServiceError as error:
        return f"The previous configuration was restored, but the engine does not start with it either: {error}."
    return "The previous configuration was restored and the engine answers again."


def stop_again(docker):
    """Stop the engine, which was not running before; return a sentence about the result."""
    try:
        docker.systemctl("daemon-reload")
        docker.systemctl("stop", SERVICE)
    except ServiceError as error:
        return (
            "The previous configuration was restored; the engine was not running before, and cannot be stopped "
            f"({error}): run systemctl stop {SERVICE}."
        )
    return "The previous configuration was restored; the engine was not running before and is stopped."


def ensure_state(docker, state):
    """Bring the service to the state; return whether that takes a change."""
    check_mode = docker.module.check_mode
    if state in shutdown.STOP:
        if shutdown.is_stopped(docker, state):
            return False
        if not check_mode:
            shutdown.STOP[state](docker)
        return True
    outdated = state == "current" and is_restart_pending(docker)
    if state == "restarted" or outdated or not docker.is_running:
        if not check_mode:
            apply(docker, "restart" if docker.is_running else "start")
        return True
    if not check_mode:
        docker.wait_for_api()
    return False


def ensure_enabled(docker, enabled):
    """Enable or disable the units that differ; return whether there were any."""
    names = [] if enabled is None else systemd.to_toggle(docker.units, enabled)
    if names and not docker.module.check_mode:
        docker.systemctl("enable" if enabled else "disable", *names)
        docker.reloaded = True  # systemctl enable and disable reload
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
    masked = systemd.masked(docker.units)
    if masked:
        docker.module.fail_json(msg=systemd.masked_message(masked) + ". Nothing was changed.")


def difference(before, state, files):
    return [*files, {"before": f"state: {before}\n", "after": f"state: {EXPECTED[state]}\n"}]


def run(module, configure):
    """Configure the engine and bring it to the wanted state; return the module's result.

    configure() is called after all checks; it returns a result, and whether it needs a restart.
    """
    state, enabled = module.params["state"], module.params["enabled"]
    docker = Docker(module).refresh()
    refuse_masked(docker)
    if state not in shutdown.STOP and not docker.is_running and engine_api.occupied(docker.api):
        raise ServiceError(engine_api.occupied(docker.api) + ". Nothing was changed.")
    if module.check_mode and SERVICE not in systemd.installed(docker.units):
        # The packages are not installed yet, so everything will change.
        result, _ = configure()
        result.update(changed=True, restart_pending=False, before="absent")
        result["diff"] = difference("absent", state, result.get("diff", []))
        return result
    refuse_unusable(docker)
    result, needs_restart = configure()
    before = docker.unit["ActiveState"]
    keep_running = state == "started" and docker.is_running
    pending = keep_running and (needs_restart or is_restart_pending(docker))
    toggled = ensure_enabled(docker, enabled)
    state_changed = ensure_state(docker, state)
    changed = result["changed"] or toggled or state_changed or pending
    if changed:
        docker.refresh()
    result.update(describe(docker), changed=changed, restart_pending=pending, before=before)
    result["diff"] = difference(before, state, result.get("diff", []))
    return result
