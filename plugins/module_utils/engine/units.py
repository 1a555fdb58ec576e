# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The engine's units on this host, and its API."""

import time

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.engine import data_move
from ansible_collections.slipway.platform.plugins.module_utils.host import groups, owned_groups, rollback, systemd
from ansible_collections.slipway.platform.plugins.module_utils.host.processes import is_replaced

SERVICE, SOCKET, CONTAINERD = "docker.service", "docker.socket", "containerd.service"
JOURNAL_LINES = "20"
NO_ENTRIES = "-- No entries --"
RELOAD_SECONDS = 5
API_SECONDS = 60  # systemd calls the engine active when its API listens
PROGRESS_SECONDS = 30


class ServiceError(Exception):
    """A systemd operation failed; the message is the reason."""


class SlowError(ServiceError):
    """systemctl took longer than its time limit; its job goes on."""


class NotReadyError(ServiceError):
    """A unit has not started in time, and may do so yet."""


class Docker:
    """The engine's units on this host."""

    def __init__(self, module):
        self.module = module
        self.api = module.params["socket"]
        self.timeout = module.params["timeout"]
        self.start_timeout = module.params["start_timeout"]
        self.units = {}
        self.reloaded = False  # since the files were written

    def refresh(self):
        """Read the state of the units; return self."""
        names = (SERVICE, SOCKET, CONTAINERD)
        self.units = systemd.parse_show(self.module.run_command(systemd.show_command(names))[1])
        return self

    @property
    def unit(self):
        return self.units.get(SERVICE, {})

    @property
    def is_running(self):
        return systemd.is_running(self.unit)

    def containerd_pid(self):
        """The current MainPID, because containerd may have restarted since the last refresh; 0 if stopped."""
        command = ["systemctl", "show", "--property=MainPID", "--value", CONTAINERD]
        return int(self.module.run_command(command)[1].strip() or 0)

    def runs_replaced_program(self):
        """Whether the binary of the running dockerd or containerd was replaced, as by an upgrade."""
        return any(is_replaced(self.units.get(name, {}).get("MainPID")) for name in (SERVICE, CONTAINERD))

    def systemctl(self, verb, *units, seconds=None):
        """Run systemctl with a timeout, because a notify unit without one may hang. Raises ServiceError."""
        seconds = seconds or self.timeout
        command = ["timeout", str(seconds), "systemctl", verb, *units]
        code, _, errors = self.module.run_command(command)
        if code == 124:
            raise SlowError(f"systemctl {verb} took longer than {seconds} seconds")
        if code:
            raise ServiceError(" ".join(errors.split()).rstrip("."))

    def start(self, verb, *units):
        """Start or restart units, which may take long, and log the progress. Raises ServiceError."""
        begin = time.monotonic()
        while True:
            left = begin + self.start_timeout - time.monotonic()
            try:
                return self.systemctl(verb, *units, seconds=max(1, min(PROGRESS_SECONDS, int(left))))
            except SlowError as error:
                if left <= PROGRESS_SECONDS:
                    raise NotReadyError(f"it is not ready within {self.start_timeout} seconds") from error
            verb = "start"  # joins the job that runs
            last = "".join(self.journal(SERVICE, "-5min")[-1:])
            self.module.log(f"waiting for {units[-1]}, {int(time.monotonic() - begin)} seconds so far: {last}")

    def bring_up(self, verb):
        """Start or restart the engine, and wait for its API. Raises ServiceError."""
        self.create_group()
        # Clears start limits of earlier failures. Fails for a unit that is not loaded, which has none.
        self.module.run_command(["systemctl", "reset-failed", SERVICE, SOCKET, CONTAINERD])
        if data_move.containerd_root_differs(self) or is_replaced(self.containerd_pid()):
            self.start("restart", CONTAINERD)
        elif CONTAINERD in systemd.installed(self.units):
            self.start("start", CONTAINERD)  # without it, dockerd waits in vain and does not say why
        # A new group or mode takes effect only when systemd creates the socket again.
        units = [SOCKET, SERVICE] if systemd.SOCKET_DROP_IN in rollback.replaced() else [SERVICE]
        self.start(verb, *units)
        self.wait_for_api()

    def create_group(self):
        """Create the engine's own group if it is missing, because the socket cannot start. Raises ServiceError."""
        group = self.units.get(SOCKET, {}).get("SocketGroup")
        if not group or group.isdigit() or groups.find(group):
            return
        if group not in ("docker", *owned_groups.recorded()):
            raise ServiceError(
                f"{SOCKET} gives its socket to the group {group}, which does not exist: create it with groupadd "
                f"--system {group}, or correct docker_access_socket_group"
            )
        owned_groups.claim(group)
        self.module.run_command(["groupadd", "--system", group], check_rc=True)
        self.module.warn(f"The group {group} of {SOCKET} did not exist and was created")

    def wait_for_api(self):
        seconds = min(API_SECONDS, self.start_timeout)
        if not engine_api.wait_until(lambda: engine_api.ping(self.api), seconds):
            raise ServiceError(
                "{} is active but does not answer on {} within {} seconds: check hosts in {} and {}".format(
                    SERVICE, self.api, seconds, self.module.params["path"], SOCKET
                )
            )

    def journal(self, unit, since):
        """The last log lines of a unit since a time, without those of earlier failures."""
        self.module.run_command(["journalctl", "--sync"])  # what the unit wrote last may not be stored yet
        command = ["journalctl", "-u", unit, "-n", JOURNAL_LINES, "--no-pager", "-o", "cat", "--since", since]
        return [line for line in self.module.run_command(command)[1].splitlines() if line != NO_ENTRIES]

    def has_live_restore(self):
        return engine_api.get_json(self.api, "/info").get("LiveRestoreEnabled", False)
