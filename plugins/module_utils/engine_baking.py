# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Makes the engine of an image ready for its first boot, by files alone."""

from ansible_collections.slipway.platform.plugins.module_utils import daemon_files, systemd_units
from ansible_collections.slipway.platform.plugins.module_utils.engine_units import CONTAINERD, SERVICE, SOCKET


def refuse_unusable(module, units):
    """Fail where the engine could not start at boot; in a dry run its package may be yet to come."""
    masked = systemd_units.masked(units)
    if masked:
        module.fail_json(msg=systemd_units.masked_sentence(masked) + ". Nothing was changed.")
    if SERVICE not in units and not module.check_mode:
        module.fail_json(msg=f"{SERVICE} does not exist: install the engine's package first. Nothing was changed.")


def enablement(module, units):
    """The command that has the units start at boot, or not; empty where they do as wanted."""
    enabled = module.params["enabled"]
    names = [] if enabled is None else systemd_units.to_toggle(units, enabled)
    return ["systemctl", "enable" if enabled else "disable", *names] if names else []


def run(module):
    """Write what differs, and enable; whatever runs here is not the image's, or not for long."""
    units = systemd_units.of_files(module, (SERVICE, SOCKET, CONTAINERD))
    refuse_unusable(module, units)
    result, _ = daemon_files.configure(module)
    command = enablement(module, units)
    if command and not module.check_mode:
        module.run_command(command, check_rc=True, environ_update=systemd_units.OFFLINE)
    changed = result["changed"] or bool(command) or SERVICE not in units
    unknown = {"before": "unknown", "state": "unknown", "pid": 0, "api_version": "", "engine_version": ""}
    result.update(unknown, changed=changed, restart_pending=False)
    result.setdefault("diff", [])
    return result
