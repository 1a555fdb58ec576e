#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
module: docker_service
short_description: Bring docker.service to a state and prove that the engine answers
version_added: 0.1.0
description:
  - Starts, stops or restarts the engine and waits until its API answers.
  - When it does not come up with the files that M(slipway.platform.docker_daemon_config) wrote, the previous files are
    put back, the engine is started with them, and the module fails with the journal's lines.
options:
  name:
    description: The service, without its suffix. Its socket has the same name.
    type: str
    default: docker
  state:
    description:
      - With V(started), a running engine is left alone; RV(restart_pending) tells whether it should not be.
      - With V(restarted), the engine is always restarted. Containers keep running under live-restore.
      - With V(stopped), the socket is stopped first, because it would start the service again.
    type: str
    choices: [started, stopped, restarted]
    default: started
  enabled:
    description: Whether the engine, its socket and containerd start at boot. Without it, that is left as it is.
    type: bool
  socket:
    description: The unix socket of the API.
    type: path
    default: /run/docker.sock
  config:
    description: Where live-restore may be newly set. It is reloaded before a restart, so that it protects in this one.
    type: path
    default: /etc/docker/daemon.json
  timeout:
    description: How many seconds a start or a stop may take, and then the API until it answers.
    type: int
    default: 60
author:
  - Slipway contributors (@slipway)
attributes:
  check_mode:
    description: Looks at the units and the API and changes nothing.
    support: full
  diff_mode:
    description: Shows the state.
    support: full
  idempotent:
    description: Not for O(state=restarted), which restarts every time.
    support: partial
seealso:
  - module: slipway.platform.docker_daemon_config
"""

EXAMPLES = r"""
- name: Run the engine, now and at boot
  slipway.platform.docker_service:
    state: started
    enabled: true
  register: engine

- name: Restart it if its configuration changed
  slipway.platform.docker_service:
    state: restarted
  when: engine.restart_pending
"""

RETURN = r"""
before:
  description: The state of the service when the module began, as systemd names it.
  returned: success
  type: str
  sample: inactive
state:
  description: The state of the service now.
  returned: success
  type: str
  sample: active
pid:
  description: The process id of the engine, 0 when it does not run.
  returned: success
  type: int
api_version:
  description: The newest API version that the engine speaks, empty when it does not run.
  returned: success
  type: str
  sample: '1.45'
engine_version:
  description: The version of the engine, empty when it does not run.
  returned: success
  type: str
  sample: 26.1.5
restart_pending:
  description: Whether the engine runs with an older configuration than the one in place.
  returned: success
  type: bool
journal:
  description: The last lines of the service's journal.
  returned: failure of the service
  type: list
  elements: str
"""

import json
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.platform.plugins.module_utils import daemon_log, engine_api, rollback, systemd_units
from ansible_collections.slipway.platform.plugins.module_utils.file_io import read_text

CONTAINERD = "containerd.service"
JOURNAL_LINES = "20"
RELOAD_SECONDS = 5
EXPECTED = {"started": "active", "restarted": "active, restarted", "stopped": "inactive"}


class ServiceError(Exception):
    """A unit did not do what it was told; the text is the reason."""


class Docker:
    """The engine's units on this host."""

    def __init__(self, module):
        self.module = module
        self.service = module.params["name"] + ".service"
        self.socket_unit = module.params["name"] + ".socket"
        self.api = module.params["socket"]
        self.timeout = module.params["timeout"]
        self.units = {}

    def look(self):
        """Read the units' state anew."""
        names = (self.service, self.socket_unit, CONTAINERD)
        self.units = systemd_units.parse_show(self.module.run_command(systemd_units.show_command(names))[1])
        return self

    @property
    def unit(self):
        return self.units.get(self.service, {})

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
        self.module.run_command(["systemctl", "reset-failed", self.service, self.socket_unit])
        self.systemctl(verb, self.service)
        self.prove_api()

    def prove_api(self):
        if not engine_api.wait_until(lambda: engine_api.ping(self.api), self.timeout):
            raise ServiceError(
                "{} is active but does not answer on {} within {} seconds: check hosts in {} and {}".format(
                    self.service, self.api, self.timeout, self.module.params["config"], self.socket_unit
                )
            )

    def journal(self, since):
        """The last lines since a moment; those of earlier failures would mislead."""
        command = ["journalctl", "-u", self.service, "-n", JOURNAL_LINES, "--no-pager", "-o", "cat", "--since", since]
        return self.module.run_command(command)[1].splitlines()


def refuse_unusable(docker):
    """Fail where there is no such service to manage."""
    if not docker.units:
        docker.module.fail_json(msg="systemctl does not answer: this host does not run systemd. Nothing was changed.")
    if docker.service not in systemd_units.installed(docker.units):
        docker.module.fail_json(
            msg=f"{docker.service} does not exist: install the engine's package first. Nothing was changed."
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
        wanted = json.loads(read_text(docker.module.params["config"]) or "{}").get("live-restore")
    except ValueError:
        return
    if wanted and docker.is_running and not has_live_restore(docker):
        docker.systemctl("reload", docker.service)
        engine_api.wait_until(lambda: has_live_restore(docker), RELOAD_SECONDS)


def has_live_restore(docker):
    return engine_api.get_json(docker.api, "/info").get("LiveRestoreEnabled", False)


def apply(docker, verb):
    """Start or restart; on failure go back to the recorded files, and fail in either case."""
    was_running = docker.is_running
    began = f"@{int(time.time())}"
    try:
        if systemd_units.needs_reload(docker.units):
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
        msg = f"{docker.service} did not come up: {reason}."
    else:
        rollback.restore(record)
        msg = f"{docker.service} did not start with the new configuration: {reason}. {go_back(docker, was_running)}"
        rollback.clear()
    docker.module.fail_json(msg=msg + " Journal: " + " | ".join(journal[-3:]), journal=journal, systemctl=str(error))


def go_back(docker, was_running):
    """Run with the restored files if the engine ran before; the sentence tells how that went."""
    try:
        docker.systemctl("daemon-reload")
        if not was_running:
            docker.systemctl("stop", docker.service)
            return "The previous configuration is back; the engine was not running before and is stopped."
        docker.bring_up("restart")
    except ServiceError as error:
        return f"The previous configuration is back, but the engine does not come up with it either: {error}."
    return "The previous configuration is back and the engine answers again."


def stop(docker):
    """The socket first: it would start the service again."""
    for name in (docker.socket_unit, docker.service):
        if name in systemd_units.installed(docker.units):
            docker.systemctl("stop", name)
    rollback.clear()


def reach(docker, state):
    """Bring the service to the state; whether that takes a change."""
    dry = docker.module.check_mode
    if state == "stopped":
        if not systemd_units.running(docker.units, (docker.service, docker.socket_unit)):
            return False
        if not dry:
            stop(docker)
        return True
    if state == "restarted" or not docker.is_running:
        if not dry:
            apply(docker, "restart" if docker.is_running else "start")
        return True
    if systemd_units.needs_reload(docker.units) and not dry:
        docker.systemctl("daemon-reload")
    if not dry:
        docker.prove_api()
    return False


def toggle(docker, enabled):
    """Enable or disable the units that differ; whether there were any."""
    names = [] if enabled is None else systemd_units.to_toggle(docker.units, enabled)
    if names and not docker.module.check_mode:
        docker.systemctl("enable" if enabled else "disable", *names)
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


def run(docker, state, enabled):
    refuse_masked(docker)
    if docker.module.check_mode and docker.service not in systemd_units.installed(docker.units):
        return {"changed": state != "stopped" or bool(enabled), "restart_pending": False, "before": "absent"}
    refuse_unusable(docker)
    before = docker.unit["ActiveState"]
    pending = state == "started" and docker.is_running and is_restart_pending(docker)
    toggled = toggle(docker, enabled)
    reached = reach(docker, state)
    result = {"changed": toggled or reached or pending, "restart_pending": pending, "before": before}
    result.update(describe(docker.look()))
    result["diff"] = {"before": f"state: {before}\n", "after": f"state: {EXPECTED[state]}\n"}
    return result


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "default": "docker"},
            "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
            "enabled": {"type": "bool"},
            "socket": {"type": "path", "default": "/run/docker.sock"},
            "config": {"type": "path", "default": "/etc/docker/daemon.json"},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(Docker(module).look(), module.params["state"], module.params["enabled"]))
    except ServiceError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
