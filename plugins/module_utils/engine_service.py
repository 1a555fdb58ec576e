# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Brings the engine's units to a state, proves that its API answers, and goes back when it does not."""

import json
import time

from ansible_collections.slipway.platform.plugins.module_utils import daemon_log, engine_api, rollback, systemd_units
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

SERVICE, SOCKET, CONTAINERD = "docker.service", "docker.socket", "containerd.service"
JOURNAL_LINES = "20"
SHOWN_LINES = 8
RELOAD_SECONDS = 5
EXPECTED = {"started": "active", "current": "active", "restarted": "active, restarted", "stopped": "inactive"}


class ServiceError(Exception):
    """A unit did not do what it was told; the text is the reason."""


class Docker:
    """The engine's units on this host."""

    def __init__(self, module):
        self.module = module
        self.api = module.params["socket"]
        self.timeout = module.params["timeout"]
        self.units = {}
        self.reloaded = False  # since the files were written

    def look(self):
        """Read the units' state anew."""
        names = (SERVICE, SOCKET, CONTAINERD)
        self.units = systemd_units.parse_show(self.module.run_command(systemd_units.show_command(names))[1])
        return self

    @property
    def unit(self):
        return self.units.get(SERVICE, {})

    @property
    def is_running(self):
        return systemd_units.is_running(self.unit)

    def systemctl(self, verb, *units):
        """Run systemctl; a unit that hangs, as a notify unit without a limit may, ends the wait and not the play."""
        command = ["timeout", str(self.timeout), "systemctl", verb, *units]
        code, _, errors = self.module.run_command(command)
        if code == 124:
            raise ServiceError(f"systemctl {verb} took longer than {self.timeout} seconds")
        if code:
            raise ServiceError(" ".join(errors.split()))

    def bring_up(self, verb):
        """Start or restart, after any start limit from earlier failures is forgotten."""
        # Fails for a unit that systemd has not loaded, which then has no failures to forget.
        self.module.run_command(["systemctl", "reset-failed", SERVICE, SOCKET])
        # A new group or mode takes effect only when the socket is made anew.
        record = rollback.load() or {"files": {}}
        units = [SOCKET, SERVICE] if systemd_units.SOCKET_DROP_IN in record["files"] else [SERVICE]
        self.systemctl(verb, *units)
        self.prove_api()

    def prove_api(self):
        if not engine_api.wait_until(lambda: engine_api.ping(self.api), self.timeout):
            raise ServiceError(
                "{} is active but does not answer on {} within {} seconds: check hosts in {} and {}".format(
                    SERVICE, self.api, self.timeout, self.module.params["path"], SOCKET
                )
            )

    def journal(self, since):
        """The last lines since a moment; those of earlier failures would mislead."""
        command = ["journalctl", "-u", SERVICE, "-n", JOURNAL_LINES, "--no-pager", "-o", "cat", "--since", since]
        return self.module.run_command(command)[1].splitlines()


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
    return bool(record) or systemd_units.needs_reload(docker.units)


def protect_containers(docker):
    """Make a newly set live-restore effective before the engine stops; older settings come with the restart."""
    try:
        wanted = json.loads(read_text(docker.module.params["path"]) or "{}").get("live-restore")
    except ValueError:
        return
    if wanted and docker.is_running and not has_live_restore(docker):
        docker.systemctl("reload", SERVICE)
        engine_api.wait_until(lambda: has_live_restore(docker), RELOAD_SECONDS)


def has_live_restore(docker):
    return engine_api.get_json(docker.api, "/info").get("LiveRestoreEnabled", False)


def apply(docker, verb):
    """Start or restart; on failure go back to the recorded files, and fail in either case."""
    was_running = docker.is_running
    began = f"@{int(time.time())}"
    try:
        # Unasked: systemd does not see by itself (NeedDaemonReload) that a unit has got its first drop-in.
        if not docker.reloaded:
            docker.systemctl("daemon-reload")
        if verb == "restart":
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


def stop(docker):
    """The socket first: it would start the service again."""
    for name in (SOCKET, SERVICE):
        if name in systemd_units.installed(docker.units):
            docker.systemctl("stop", name)
    rollback.clear()


def reach(docker, state):
    """Bring the service to the state; whether that takes a change."""
    dry = docker.module.check_mode
    if state == "stopped":
        if not systemd_units.running(docker.units, (SERVICE, SOCKET)):
            return False
        if not dry:
            stop(docker)
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
