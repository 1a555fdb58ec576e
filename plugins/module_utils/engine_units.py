# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The engine's units on this host, and its API."""

import os

from ansible_collections.slipway.platform.plugins.module_utils import engine_api, engine_move, rollback, systemd_units

SERVICE, SOCKET, CONTAINERD = "docker.service", "docker.socket", "containerd.service"
JOURNAL_LINES = "20"
RELOAD_SECONDS = 5


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

    def containerd_pid(self):
        """Asked anew, because containerd may have been restarted since the last look."""
        command = ["systemctl", "show", "--property=MainPID", "--value", CONTAINERD]
        return int(self.module.run_command(command)[1].strip() or 0)

    def runs_replaced_program(self):
        """Whether an upgrade put another dockerd in place of the one that runs."""
        try:
            return os.readlink("/proc/{}/exe".format(self.unit.get("MainPID"))).endswith(" (deleted)")
        except OSError:
            return False

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
        if engine_move.containerd_is_elsewhere(self):
            self.systemctl("restart", CONTAINERD)
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

    def has_live_restore(self):
        return engine_api.get_json(self.api, "/info").get("LiveRestoreEnabled", False)
