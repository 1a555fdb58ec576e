# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The cache's units: start them with new files, or go back to those with which they ran."""

import json
import os
import socket
import time
import urllib.error

from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd
from ansible_collections.slipway.platform.plugins.module_utils.net import openers
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import paths

POLL_SECONDS = 0.2
LAST_LINES = 8
FAILED = ("auto-restart", "failed", "dead")


class ServiceError(Exception):
    """The cache does not start; str() is the message, without a full stop."""


def state(module):
    """Return the properties of the units by name."""
    return systemd.parse_show(module.run_command(systemd.show_command(list(paths.UNITS)))[1])


def is_active(units):
    return systemd.is_running(units.get(paths.SERVICE, {}))


def is_in_use(units):
    """Return whether the cache and its check run, now and after a boot."""
    needed = (paths.SERVICE, paths.CHECK_TIMER)
    return all(units.get(name, {}).get("UnitFileState") == "enabled" for name in needed) and all(
        systemd.is_running(units.get(name, {})) for name in needed
    )


def start(module, changes, restart):
    """Write the files, and start the cache; raise ServiceError if it does not answer, with the old files back."""
    before = [(path, *snapshot(path)) for path, _, _ in changes]
    ran = is_active(state(module))
    try:
        host_files.put_all(changes)
        run(module, restart)
    except (ServiceError, host_files.WriteError) as error:
        if not ran:  # while the units are there, which a new cache loses
            module.run_command(["systemctl", "disable", "--now", paths.CHECK_TIMER, paths.SERVICE])
        host_files.put_all(before)
        module.run_command(["systemctl", "daemon-reload"])
        if not ran:
            raise ServiceError(f"{error}. The cache is stopped") from error
        resume(module)
        raise ServiceError(f"{error}. The cache runs with the settings of before") from error


def snapshot(path):
    """Return text and mode of a file; None twice if it does not exist."""
    text = host_files.read_text(path)
    return (None, None) if text is None else (text, os.stat(path).st_mode & 0o7777)


def run(module, restart):
    systemctl(module, "daemon-reload")
    systemctl(module, "reenable", paths.SERVICE, paths.CHECK_TIMER)
    module.run_command(["systemctl", "restart" if restart else "start", paths.SERVICE])
    wait(module)
    systemctl(module, "restart", paths.CHECK_TIMER)


def systemctl(module, *arguments):
    """Run systemctl; raise ServiceError, so that the old files come back."""
    code, _, errors = module.run_command(["systemctl", *arguments])
    if code:
        raise ServiceError("systemctl {} failed ({})".format(" ".join(arguments), " ".join(errors.split())[:300]))


def resume(module):
    """Start the cache as it was, and wait until it answers, if it does."""
    module.run_command(["systemctl", "restart", paths.SERVICE])
    settings = json.loads(host_files.read_text(paths.setting("settings.json")))
    deadline = time.monotonic() + module.params["start_timeout"]
    while not is_well(settings["port"], settings["metrics_port"]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def wait(module):
    """Wait until the cache answers. Raise ServiceError if its container ends, or it takes too long."""
    params = module.params
    deadline = time.monotonic() + params["start_timeout"]
    while not is_well(params["port"], params["metrics_port"]):
        unit = state(module).get(paths.SERVICE, {})
        if unit.get("SubState") in FAILED or time.monotonic() > deadline:
            raise ServiceError(
                "The cache does not start ({}): fix this, and run again".format(journal(module) or "without a message")
            )
        time.sleep(POLL_SECONDS)


def is_well(port, metrics_port):
    """Return whether the registry listens, and says that it is well."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
        with openers.web_opener().open(f"http://127.0.0.1:{metrics_port}/debug/health", timeout=5):
            return True
    except (OSError, urllib.error.HTTPError):
        return False


def journal(module):
    """Return the last lines of the cache's own, in one."""
    module.run_command(["journalctl", "--sync"])  # what it wrote last may not be stored yet
    command = ["journalctl", "--unit", paths.SERVICE, "--lines", str(LAST_LINES), "--no-pager", "--output", "cat"]
    lines = module.run_command(command)[1].splitlines()
    own = [line for line in lines if not line.startswith((paths.SERVICE, "Started", "Starting", "Stopped"))]
    return " ".join(" ".join(own).split())[-600:]


def is_offline():
    """Return whether the cache serves only what it has, since the upstream registry did not answer when it started."""
    text = host_files.read_text(os.path.join(paths.RUNTIME, "state.json"))
    return bool(text) and bool(json.loads(text)["offline"])


def remove(module):
    """Stop and disable the units."""
    module.run_command(["systemctl", "disable", "--now", paths.CHECK_TIMER, paths.SERVICE])
    module.run_command(["systemctl", "reset-failed", *paths.UNITS])
