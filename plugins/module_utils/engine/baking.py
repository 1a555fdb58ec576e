# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Configuration of the engine in a machine image, without starting anything."""

from ansible_collections.slipway.platform.plugins.module_utils.daemon import files as daemon_files
from ansible_collections.slipway.platform.plugins.module_utils.engine.units import CONTAINERD, SERVICE, SOCKET
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd


def refuse_unusable(module, units):
    """Fail the module if the engine could not start at boot; in check mode its package may be missing."""
    masked = systemd.masked(units)
    if masked:
        module.fail_json(msg=systemd.masked_message(masked) + ". Nothing was changed.")
    if SERVICE not in units and not module.check_mode:
        module.fail_json(msg=f"{SERVICE} does not exist: install the engine's package first. Nothing was changed.")


def enablement(module, units):
    """The command that enables or disables the units; empty if nothing has to change."""
    enabled = module.params["enabled"]
    names = [] if enabled is None else systemd.to_toggle(units, enabled)
    return ["systemctl", "enable" if enabled else "disable", *names] if names else []


def run(module):
    """Write what differs and enable the units; running services are not considered. Returns the module's result."""
    units = systemd.list_unit_files(module, (SERVICE, SOCKET, CONTAINERD))
    refuse_unusable(module, units)
    result, _ = daemon_files.configure(module)
    command = enablement(module, units)
    if command and not module.check_mode:
        module.run_command(command, check_rc=True, environ_update=systemd.OFFLINE)
    changed = result["changed"] or bool(command) or SERVICE not in units
    unknown = {"before": "unknown", "state": "unknown", "pid": 0, "api_version": "", "engine_version": ""}
    result.update(unknown, changed=changed, restart_pending=False)
    result.setdefault("diff", [])
    return result
